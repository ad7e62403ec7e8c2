"""The yardstick over HTTP: the service that a Python author would write, FastAPI over PyTorch's meta tensors.

    python3 -m uvicorn --app-dir tests/bench yardstick_fastapi:app --port PORT
"""
import torch
from fastapi import Body, FastAPI

torch.set_num_threads(1)
app = FastAPI()
NEEDS_IN_CHANNELS = ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")


def make_module(layer, in_channels):
    members = dict(layer)
    kind = members.pop("type")
    if kind in NEEDS_IN_CHANNELS:
        members.update(in_channels=in_channels, device="meta")
    return getattr(torch.nn, kind)(**members)


@app.post("/v1/shapes")
def plan(stack: dict = Body()):
    tensor, planned, params = torch.empty(stack["input"], device="meta"), [], 0
    for layer in stack["layers"]:
        module = make_module(layer, tensor.shape[1])
        tensor = module(tensor)
        own = sum(parameter.numel() for parameter in module.parameters())
        params += own
        planned.append({"type": layer["type"], "output": list(tensor.shape), "params": own})
    return {"layers": planned, "output": list(tensor.shape), "totals": {"params": params}}
