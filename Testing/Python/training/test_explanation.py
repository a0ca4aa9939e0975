import torch
from PCRPredictorLib.network import Output
from PCRTrainingLib.training.explanation import grad_cam


def test_grad_cam_finds_the_only_place_that_matters():
    features = torch.zeros(1, 2, 2, 4, 4)
    features[0, 0, 1, 2, 3] = 5
    features.requires_grad_()
    logit = features[:, 0].mean((1, 2, 3)) + 0.1
    cam = grad_cam(Output(logit, logit, None, features))
    assert cam.flatten().argmax() == torch.tensor([1 * 16 + 2 * 4 + 3])
    assert (cam >= 0).all()
