"""Small reference vectors for /v1/convolve from PyTorch's float64: every operation and direction, one JSON line each.

    python3 tests/vectors/make_reference.py > tests/vectors/reference.jsonl

A line: {"name", "request": the request, "output": nested lists, "exact": true or false}. `output` is the answer to the
request's direction. All operands are multiples of 1/8, so sums of products have no rounding: where `exact` is true the
answer must be equal, else (averages, norms) only close.
"""
import json

import torch
import torch.nn as nn

torch.manual_seed(1603)


def numbers(shape, integers=False):
    return torch.randint(-40, 41, tuple(shape)).double() / (1 if integers else 8)


def positive(shape, integers=False):
    return torch.randint(1, 41, tuple(shape)).double() / 8


def lists(tensor, integers=False):
    tensor = tensor.detach()
    return (tensor.to(torch.int64) if integers else tensor).tolist()


def line(name, request, output, exact, integers=False):
    print(json.dumps({"name": name, "request": request, "output": lists(output, integers), "exact": exact},
                     separators=(",", ":")))


def convolutions(name, kind, shape, integers=False, **members):
    """Forward, backward_input and backward_weight of one convolution."""
    out = members.pop("out_channels")
    module = getattr(nn, kind)(shape[1], out, **members).double()
    x = numbers(shape, integers).requires_grad_()
    with torch.no_grad():
        module.weight.copy_(numbers(module.weight.shape, integers))
        if module.bias is not None:
            module.bias.copy_(numbers(module.bias.shape, integers))
    y = module(x)
    gradient = numbers(y.shape, integers)
    y.backward(gradient)
    layer = {"type": kind, "out_channels": out, **members}
    weight, given, back = lists(module.weight, integers), lists(x, integers), lists(gradient, integers)
    request = {"layer": layer, "input": given, "weight": weight}
    if module.bias is not None:
        request["bias"] = lists(module.bias, integers)
    line(name, request, y, True, integers)
    line(name + ", backward_input", {"layer": layer, "direction": "backward_input", "input_shape": list(shape),
                                     "weight": weight, "output_gradient": back}, x.grad, True, integers)
    line(name + ", backward_weight", {"layer": layer, "direction": "backward_weight", "input": given,
                                      "output_gradient": back}, module.weight.grad, True, integers)


def pools(name, kind, shape, fill=numbers, **members):
    """Forward and backward_input of one pooling."""
    module = getattr(nn, kind)(**members)
    x = fill(shape).requires_grad_()
    y = module(x)
    gradient = numbers(y.shape)
    y.backward(gradient)
    exact = "Max" in kind
    layer = {"type": kind, **members}
    line(name, {"layer": layer, "input": lists(x)}, y, exact)
    line(name + ", backward_input", {"layer": layer, "direction": "backward_input", "input": lists(x),
                                     "output_gradient": lists(gradient)}, x.grad, exact)


SPATIAL = {1: (9,), 2: (4, 5), 3: (3, 4, 3)}
for axes, space in SPATIAL.items():
    for integers in (True, False) if axes == 1 else (False,):
        kind = "integers" if integers else "eighths"
        conv, back = f"Conv{axes}d", f"ConvTranspose{axes}d"
        convolutions(f"{conv} plain, {kind}", conv, (1, 2, *space), integers, out_channels=3, kernel_size=3)
        convolutions(f"{conv} strided padded, {kind}", conv, (2, 3, *space), integers, out_channels=2, kernel_size=3,
                     stride=2, padding=1, bias=False)
        convolutions(f"{conv} dilated groups, {kind}", conv, (1, 4, *space), integers, out_channels=6, kernel_size=2,
                     dilation=2, groups=2, padding=1)
        convolutions(f"{conv} depthwise, {kind}", conv, (1, 3, *space), integers, out_channels=3, kernel_size=3, groups=3,
                     padding=1)
        convolutions(f"{conv} pointwise, {kind}", conv, (1, 5, *space), integers, out_channels=2, kernel_size=1)
        convolutions(f"{conv} same, {kind}", conv, (1, 1, *space), integers, out_channels=2, kernel_size=2,
                     padding="same")
        convolutions(f"{back} plain, {kind}", back, (1, 2, *space), integers, out_channels=2, kernel_size=3)
        convolutions(f"{back} strided output_padding, {kind}", back, (2, 2, *space[:-1], 3), integers, out_channels=1,
                     kernel_size=3, stride=2, padding=1, output_padding=1)
        convolutions(f"{back} crop past the kernel, {kind}", back, (1, 2, *space), integers, out_channels=2,
                     kernel_size=1, padding=1)
        convolutions(f"{back} dilated groups, {kind}", back, (1, 4, *space), integers, out_channels=2, kernel_size=2,
                     dilation=2, groups=2, bias=False)
        convolutions(f"{back} stride over kernel, {kind}", back, (1, 1, *space), integers, out_channels=1, kernel_size=2,
                     stride=3)
    tail = (2, 2, *space) if axes == 1 else (1, 2, *space)
    pools(f"MaxPool{axes}d", f"MaxPool{axes}d", tail, kernel_size=2)
    pools(f"MaxPool{axes}d padded ceil", f"MaxPool{axes}d", tail, kernel_size=3, stride=2, padding=1, ceil_mode=True)
    pools(f"MaxPool{axes}d overlapping dilated", f"MaxPool{axes}d", tail, kernel_size=2, stride=1, dilation=2)
    pools(f"AdaptiveMaxPool{axes}d", f"AdaptiveMaxPool{axes}d", tail, output_size=2)
    pools(f"AvgPool{axes}d", f"AvgPool{axes}d", tail, kernel_size=2)
    for include in (True, False):
        for ceil in (True, False):
            pools(f"AvgPool{axes}d include {include} ceil {ceil}", f"AvgPool{axes}d", tail, kernel_size=3, stride=2,
                  padding=1, count_include_pad=include, ceil_mode=ceil)
    for size in (1, 2, 3):
        pools(f"AdaptiveAvgPool{axes}d to {size}", f"AdaptiveAvgPool{axes}d", tail, output_size=size)
    if axes < 3:
        for norm in (1, 2, 3, 2.5):
            for ceil in (True, False):
                pools(f"LPPool{axes}d p {norm} ceil {ceil}", f"LPPool{axes}d", tail, fill=positive, norm_type=norm,
                      kernel_size=3 if axes == 1 else [2, 3], stride=2, ceil_mode=ceil)
        pools(f"LPPool{axes}d p 2 signs", f"LPPool{axes}d", tail, norm_type=2, kernel_size=2)
pools("AdaptiveAvgPool2d keeping an axis", "AdaptiveAvgPool2d", (1, 2, 5, 6), output_size=[None, 4])
pools("LPPool1d of zeros", "LPPool1d", (1, 1, 6), fill=lambda shape: torch.zeros(shape).double(), norm_type=2,
      kernel_size=2)
