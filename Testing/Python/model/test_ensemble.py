import numpy as np
import pytest
import torch
from PCRPredictorLib.model.ensemble import Ensemble, contributions
from PCRPredictorLib.network import PCRNet


@pytest.mark.parametrize("shape", [(8, 32, 32), (7, 36, 30), (1, 16, 18)])
@pytest.mark.parametrize("backbone", ["own", "resnet"])
def test_contributions_of_all_places_add_up_to_the_image_logit(shape, backbone):
    torch.manual_seed(0)
    network = PCRNet(widths=(4, 6, 8), attention=True, **({} if backbone == "own" else {"backbone": backbone})).eval()
    torch.nn.init.normal_(network.attention[-1].weight)
    with torch.inference_mode():
        output = network(torch.randn(2, 3, *shape))
        parts = contributions(network, output)
    assert parts.shape == output.log_attention.shape
    assert parts.sum((1, 2, 3, 4)).tolist() == pytest.approx(output.image_logit.tolist(), abs=1e-5)


def test_network_without_attention_has_no_places():
    network = PCRNet(widths=(4, 6, 8)).eval()
    with pytest.raises(ValueError, match="must have attention"):
        contributions(network, network(torch.randn(1, 3, 8, 32, 32)))


def test_networks_read_at_the_same_time_give_the_same_in_their_order(monkeypatch):
    networks = [PCRNet(widths=(4, 6, 8), attention=True).for_inference() for _ in range(3)]
    images = np.random.default_rng(0).normal(size=(2, 3, 8, 32, 32)).astype(np.float32)
    ensemble, found = Ensemble(networks, (), "cpu"), []
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(ensemble.plain_logits(images))
    assert np.ptp(found[0], 0).min() > 0
    assert found[0].tolist() == found[1].tolist()
