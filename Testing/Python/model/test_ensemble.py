import pytest
import torch
from PCRPredictorLib.model.ensemble import contributions
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
