#!/usr/bin/env python3
"""Write layers.jsonl: small layer stacks and what PyTorch makes of them.

Each line is one case:

    {"request": {a body of POST /v1/shapes}, "output": [shape] or null, "params": N}

`output` is the shape of the last layer's result and `params` the number of parameters of all
layers. Where PyTorch raises an error, `output` is null and `params` is left out.

FAMILIES at the end of this file is the table that drives it: a function that draws a random case,
and how many valid and invalid ones are wanted. `apply` turns a layer into a PyTorch module and runs
it on a tensor of zeros, in evaluation mode, on the CPU (the meta device skips some checks).
The seed is fixed, so the same PyTorch writes the same file.

The contract of /v1/shapes is stricter than PyTorch: a layer over N spatial axes takes rank N + 2
exactly, and no axis may come out empty. Cases on which the two differ are not drawn, or dropped.

Usage: make_layers.py [FILE]        default: layers.jsonl beside this script
"""

import functools
import json
import math
import operator
import random
import re
import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

SEED = 1603
DRAWS = 400  # per wanted case, before a family counts as unable to give it

PAD_MODES = {"Zero": "constant", "Constant": "constant", "Reflection": "reflect"}
PAD_MODES |= {"Replication": "replicate", "Circular": "circular"}
MERGES = {"Add": operator.add, "Sub": operator.sub, "Mul": operator.mul}
PLAIN = "ReLU ReLU6 SELU GELU SiLU Mish Sigmoid Tanh Hardsigmoid Hardswish Identity".split()
ACTIVATIONS = {kind: {} for kind in PLAIN} | {
    "LeakyReLU": {"negative_slope": 0.2},
    "ELU": {"alpha": 0.5},
    "Softplus": {"beta": 2},
    "Hardtanh": {"min_val": -2, "max_val": 2},
    "Dropout": {"p": 0.2},
    "AlphaDropout": {"p": 0.2},
}


class Empty(Exception):
    """PyTorch's result has an empty axis or none at all, which the contract refuses."""


# ---- PyTorch's answer ---------------------------------------------------------------------------


def listed(value, axes):
    return list(value) if isinstance(value, (list, tuple)) else [value] * axes


def flat(padding, axes):
    """Padding as F.pad wants it, last axis first; [begin, end] pairs come first axis first."""
    if isinstance(padding, list) and isinstance(padding[0], list):
        return [side for pair in reversed(padding) for side in pair]
    return listed(padding, 2 * axes)


def window(kind, axes, given, padding, x):
    """Convolution and pooling. Pairs and words that nn lacks become a pad before or a crop after."""
    if "Conv" in kind:
        given.setdefault("in_channels", x.shape[1])
    target, crop = given.pop("output_size", None), [0]
    if padding in ("half", "full"):
        sizes = zip(listed(given["kernel_size"], axes), listed(given.get("dilation", 1), axes))
        extents = [d * (k - 1) for k, d in sizes]
        given["padding"] = [(extent + 1) // 2 if padding == "half" else extent for extent in extents]
    elif isinstance(padding, list) and isinstance(padding[0], list):
        del given["padding"]
        if kind == "ConvTranspose":
            crop = [-side for side in flat(padding, axes)]
        else:
            x = F.pad(x, flat(padding, axes), value=-math.inf if kind == "MaxPool" else 0)
    module = getattr(nn, f"{kind}{axes}d")(**given)
    if kind == "MaxUnpool":
        return module, module(x, torch.zeros(x.shape, dtype=torch.int64), target)
    y = module(x, target) if target else module(x)
    return module, F.pad(y, crop) if any(crop) else y


def slice_of(x, dim, start=None, end=None, step=None):
    index = [slice(None)] * x.dim()
    index[range(x.dim())[dim]] = slice(start, end, step)
    return x[tuple(index)]


FUNCTIONS = {"Reshape": torch.Tensor.reshape, "Permute": torch.Tensor.permute, "Mean": torch.Tensor.mean}
FUNCTIONS |= {"Slice": slice_of}


def apply(layer, inputs):
    """Run one layer; return its module, None where it is a function, and its result."""
    given = {key: value for key, value in layer.items() if key not in ("type", "name", "from")}
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    name, x = layer["type"], inputs[0]
    if name in MERGES:
        return None, functools.reduce(MERGES[name], inputs)
    if name == "Concat":
        return None, torch.cat(inputs, given.get("dim", 1))
    if name in FUNCTIONS:
        return None, FUNCTIONS[name](x, **given)
    kind, axes = re.fullmatch(r"(.+?)(?:(\d)d)?", name).groups()
    if kind.removesuffix("Pad") in PAD_MODES:
        mode = PAD_MODES[kind.removesuffix("Pad")]
        return None, F.pad(x, flat(layer["padding"], int(axes)), mode, given.get("value"))
    if axes and re.search("Conv|^MaxPool|^AvgPool|LPPool|Unpool", kind):
        return window(kind, int(axes), given, layer.get("padding"), x)
    if kind in ("BatchNorm", "InstanceNorm", "GroupNorm"):
        given.setdefault("num_channels" if kind == "GroupNorm" else "num_features", x.shape[1])
    if kind == "Linear":
        given.setdefault("in_features", x.shape[-1])
    module = getattr(nn, name)(**given).eval()
    return module, module(x)


def run(request):
    """Shape of the last result and number of parameters; None where PyTorch raises."""
    shapes = request.get("inputs") or {"input": request["input"]}
    known = {name: torch.zeros(shape) for name, shape in shapes.items()}
    last, params = "input", 0
    try:
        for layer in request["layers"]:
            module, result = apply(layer, [known[name] for name in listed(layer.get("from", last), 1)])
            if 0 in result.shape or not result.shape:
                raise Empty
            params += sum(p.numel() for p in module.parameters()) if module else 0
            last = layer.get("name", "last")
            known[last] = result
    except (RuntimeError, ValueError, IndexError, ZeroDivisionError):
        return None
    return list(known[last].shape), params


# ---- drawing ------------------------------------------------------------------------------------


class Draw(random.Random):
    def axes(self):
        return self.randint(1, 3)

    def shape(self, axes, channels=(1, 2, 3, 4, 6, 8), low=1, high=(1, 30, 16, 8)):
        sizes = [self.randint(low, high[axes]) for _ in range(axes)]
        return [self.randint(1, 2), self.choice(channels), *sizes]

    def any_shape(self, low=1):
        return [self.randint(1, 6) for _ in range(self.randint(low, 5))]

    def dim(self, shape):
        return self.randint(-len(shape), len(shape) - 1)

    def per_axis(self, axes, low, high):
        """A number for all axes, or a list with one for each."""
        numbers = [self.randint(low, high) for _ in range(axes)]
        return self.choice([numbers, numbers[0]])

    def pairs(self, highs, low=0):
        return [[self.randint(low, high), self.randint(low, high)] for high in highs]

    def likely(self, chance):
        return self.random() < chance

    def maybe(self, chance, **members):
        return members if self.likely(chance) else {}

    def spoil(self, chance, layer, **wrong):
        """Now and then give one member a value that is never right."""
        if self.likely(chance):
            name = self.choice(list(wrong))
            layer[name] = self.choice(wrong[name])
        return layer


def one(shape, layer):
    return {"input": shape, "layers": [layer]}


def divisors(number):
    return [d for d in range(1, number + 1) if number % d == 0]


def conv_members(draw, axes, channels):
    groups = draw.choice(divisors(channels))
    return {
        "out_channels": groups * draw.randint(1, 4),
        "kernel_size": draw.per_axis(axes, 1, 5),
        **draw.maybe(0.6, stride=draw.per_axis(axes, 1, 4)),
        **draw.maybe(0.3, dilation=draw.per_axis(axes, 1, 3)),
        **draw.maybe(groups > 1, groups=groups),
        **draw.maybe(0.3, bias=draw.likely(0.3)),
        **draw.maybe(0.2, in_channels=channels),
    }


def wrong_conv(axes, channels):
    wrong = {"kernel_size": [0, [3] * (axes + 1)], "stride": [0, [1] * (axes + 1)], "dilation": [0]}
    return wrong | {"padding": [-1], "groups": [0, channels + 1], "in_channels": [channels + 1]}


def conv(draw):
    axes = draw.axes()
    shape = draw.shape(axes)
    layer = {"type": f"Conv{axes}d", **conv_members(draw, axes, shape[1])}
    numbers, pairs = draw.per_axis(axes, 0, 3), draw.pairs([3] * axes)
    padding = draw.choice([0, numbers, numbers, pairs, draw.choice(["valid", "same", "half", "full"])])
    layer |= {"padding": padding} if padding else {}
    if padding == "same" and draw.likely(0.7):
        layer.pop("stride", None)
    return one(shape, draw.spoil(0.15, layer, **wrong_conv(axes, shape[1])))


def conv_transpose(draw):
    axes = draw.axes()
    shape = draw.shape(axes, high=(1, 9, 9, 6))
    layer = {"type": f"ConvTranspose{axes}d", **conv_members(draw, axes, shape[1])}
    layer |= draw.maybe(0.6, padding=draw.per_axis(axes, 0, 3))
    form = draw.random()
    if form < 0.3:
        values = [listed(layer.get(name, 1), axes) for name in ("stride", "kernel_size", "dilation")]
        values += [listed(layer.get("padding", 0), axes), shape[2:]]
        least = [(i - 1) * s + d * (k - 1) + 1 - 2 * p for s, k, d, p, i in zip(*values)]
        low = -draw.likely(0.2)
        return one(shape, layer | {"output_size": [max(1, o + draw.randint(low, s)) for o, s in zip(least, values[0])]})
    if form < 0.7:
        layer["output_padding"] = draw.per_axis(axes, 0, 2)
    elif form < 0.8:
        layer["padding"] = draw.pairs([2] * axes)
    wrong = wrong_conv(axes, shape[1]) | {"output_padding": [-1, 4]}
    return one(shape, draw.spoil(0.15, layer, **wrong))


def pool(draw):
    kind, axes = draw.choice(["MaxPool", "MaxPool", "AvgPool", "AvgPool", "LPPool"]), draw.axes()
    if kind == "LPPool":
        axes = min(axes, 2)
    # AvgPool3d alone refuses a kernel that is larger than the input without its padding.
    shape = draw.shape(axes, low=5 if (kind, axes) == ("AvgPool", 3) else 1)
    kernel = draw.per_axis(axes, 1, 5)
    wrong = {"kernel_size": [0], "stride": [0, -1]}
    layer = {"type": f"{kind}{axes}d", "kernel_size": kernel, **draw.maybe(0.7, stride=draw.per_axis(axes, 1, 4))}
    if kind == "LPPool":
        layer |= {"norm_type": draw.randint(1, 3), "kernel_size": kernel if axes == 2 else max(listed(kernel, 1))}
        layer |= draw.maybe(0.5, ceil_mode=True)
        return one(shape, draw.spoil(0.1, layer, **wrong))
    layer |= draw.maybe(0.3, dilation=draw.per_axis(axes, 1, 3)) if kind == "MaxPool" else {}
    layer |= draw.maybe(0.2, count_include_pad=draw.likely(0.5)) if kind == "AvgPool" else {}
    half = [k // 2 for k in listed(kernel, axes)]  # PyTorch's limit, old and new, whatever the dilation
    if draw.likely(0.2):
        layer["padding"] = draw.pairs(half)
    else:
        layer |= draw.maybe(0.6, padding=[draw.randint(0, p) for p in half] if draw.likely(0.5) else min(half))
        layer |= draw.maybe(0.5, ceil_mode=True)
    return one(shape, draw.spoil(0.15, layer, **wrong, padding=[-1, 13]))


def max_unpool(draw):
    axes = draw.axes()
    shape = draw.shape(axes, high=(1, 9, 9, 6))
    layer = {"type": f"MaxUnpool{axes}d", "kernel_size": draw.per_axis(axes, 1, 4)}
    layer |= draw.maybe(0.5, stride=draw.per_axis(axes, 1, 4))
    kernel = listed(layer["kernel_size"], axes)
    layer |= draw.maybe(0.4, padding=min(kernel) // 2)
    if draw.likely(0.5):
        parts = zip(shape[2:], kernel, listed(layer.get("stride", kernel), axes))
        natural = [((i - 1) * s + k - 2 * layer.get("padding", 0), s) for i, k, s in parts]
        layer["output_size"] = [max(1, o + draw.randint(-s, s)) for o, s in natural]
    return one(shape, layer)


def adaptive_pool(draw):
    axes = draw.axes()
    sizes = draw.per_axis(axes, 1, 9)
    if axes > 1 and isinstance(sizes, list):
        sizes = [None if draw.likely(0.3) else size for size in sizes]
    layer = {"type": f"Adaptive{draw.choice(['Avg', 'Max'])}Pool{axes}d", "output_size": sizes}
    return one(draw.shape(axes), draw.spoil(0.2, layer, output_size=[-1, [2] * (axes + 1)]))


def padding(draw):
    axes, kind = draw.axes(), draw.choice(list(PAD_MODES))
    shape = draw.shape(axes, high=draw.choice([(1, 30, 16, 8), (1, 4, 4, 4)]))
    # No side crops a whole axis: PyTorch's modes answer that in four different ways.
    pairs = draw.pairs([5] * axes, draw.choice([0, 0, -2, -3]))
    pairs = [[max(side, 1 - size) for side in pair] for pair, size in zip(pairs, shape[2:])]
    amount = draw.choice([pairs, flat(pairs, axes), pairs[0][0] if axes == 1 else draw.randint(0, 4)])
    layer = {"type": f"{kind}Pad{axes}d", "padding": amount}
    return one(shape, layer | draw.maybe(0.5 * (kind == "Constant"), value=draw.choice([0, 1, -0.5])))


def upsample(draw):
    axes = draw.axes()
    interpolations = ["linear", "bilinear", "trilinear"]
    modes = ["nearest", "nearest-exact", "area", interpolations[axes - 1], "bicubic" if axes == 2 else "nearest"]
    layer = {"type": "Upsample", "mode": draw.choice(modes)}
    layer |= draw.maybe(0.3 * layer["mode"].endswith(("linear", "bicubic")), align_corners=True)
    factors = [2, 3, 2.0, 0.5, 1.5, 0.7, 1.3, 0.1, 0.3, 2.1, 1 / 3, 0.29]
    if draw.likely(0.3):
        layer["size"] = draw.per_axis(axes, 1, 20)
    else:
        layer["scale_factor"] = draw.choice([draw.choice(factors), [draw.choice(factors) for _ in range(axes)]])
    wrong = {"mode": [interpolations[axes % 3]], "size": [0, [4] * (axes + 1)], "scale_factor": [-1, -0.5]}
    return one(draw.shape(axes), draw.spoil(0.2, layer, **wrong))


def shuffle(draw):
    factor, kind = draw.randint(1, 3), draw.choice(["PixelShuffle", "PixelUnshuffle", "ChannelShuffle"])
    if kind == "ChannelShuffle":
        shape = draw.shape(draw.randint(0, 3), channels=[4, 6, 8, 12])
        return one(shape, {"type": kind, "groups": draw.choice(divisors(shape[1]) * 2 + [0, 5])})
    if kind == "PixelShuffle":
        shape = draw.shape(2, channels=[factor**2, 2 * factor**2, 3 * factor**2, factor**2 + 1])
        return one(shape, {"type": kind, "upscale_factor": draw.choice([factor] * 9 + [0])})
    sizes = [factor * draw.randint(1, 6) + draw.likely(0.15) for _ in range(2)]
    shape = draw.shape(0) + sizes
    return one(shape, {"type": kind, "downscale_factor": draw.choice([factor] * 9 + [0])})


def linear(draw):
    shape = draw.any_shape()
    layer = {"type": "Linear", "out_features": draw.randint(1, 20), **draw.maybe(0.3, bias=draw.likely(0.3))}
    return one(shape, layer | draw.maybe(0.5, in_features=shape[-1] + draw.likely(0.4)))


def flatten(draw):
    members = draw.maybe(0.6, start_dim=draw.randint(-4, 4)) | draw.maybe(0.5, end_dim=draw.randint(-4, 4))
    return one(draw.any_shape(), {"type": "Flatten", **members})


def factors_of(draw, number):
    """Two or three factors of a size, at times one of them -1, at times not quite its factors."""
    first = draw.choice(divisors(number))
    second = draw.choice(divisors(number // first))
    sizes = draw.choice([[first, number // first], [first, second, number // first // second]])
    if draw.likely(0.5):
        sizes[draw.randrange(len(sizes))] = -1
    if draw.likely(0.25):
        sizes[draw.randrange(len(sizes))] = draw.choice([-1, number + 1])
    return sizes


def reshape(draw):
    shape = draw.any_shape()
    if draw.likely(0.5):
        return one(shape, {"type": "Reshape", "shape": factors_of(draw, math.prod(shape))})
    dim = draw.dim(shape)
    shape[dim] = draw.choice([4, 6, 12, 24])
    layer = {"type": "Unflatten", "dim": dim, "unflattened_size": factors_of(draw, shape[dim])}
    return one(shape, draw.spoil(0.1, layer, dim=[len(shape), -len(shape) - 1]))


def permute(draw):
    shape = draw.any_shape()
    dims = draw.sample(range(len(shape)), len(shape))
    dims = [dim - len(shape) * draw.likely(0.2) for dim in dims]
    if draw.likely(0.25):
        dims[draw.randrange(len(dims))] = draw.choice([0, 1, len(shape)])
    return one(shape, {"type": "Permute", "dims": dims})


def slicing(draw):
    shape = draw.any_shape()
    dim = draw.dim(shape)
    shape[dim] = draw.randint(1, 12)
    layer = {"type": "Slice", "dim": dim, **draw.maybe(0.6, start=draw.randint(-14, 10))}
    layer |= draw.maybe(0.6, end=draw.randint(-10, 15)) | draw.maybe(0.4, step=draw.randint(1, 5))
    return one(shape, draw.spoil(0.2, layer, step=[0, -1], dim=[len(shape), -len(shape) - 1]))


def mean(draw):
    shape = draw.any_shape()
    dims = [draw.randint(-len(shape), len(shape) - draw.likely(0.8)) for _ in range(draw.randint(1, 3))]
    layer = {"type": "Mean", "dim": draw.choice([dims, dims, dims[0]])}
    return one(shape, layer | draw.maybe(0.5, keepdim=draw.likely(0.8)))


def merge(draw):
    kind = draw.choice([*MERGES, "Concat", "Concat", "Concat"])
    shape = draw.any_shape(low=2)
    names = ["a", "b", "c"][: draw.choice([2, 2, 3] if kind == "Sub" else [1, 2, 2, 2, 3])]
    inputs, layer = {name: list(shape) for name in names}, {"type": kind, "from": names}
    dim = draw.dim(shape) if draw.likely(0.7) else 1
    for other in inputs.values():
        if kind == "Concat":
            other[dim] = draw.randint(1, 9)
        else:
            other[:] = [1 if draw.likely(0.3) else size for size in other][draw.likely(0.3) :]
    if kind == "Concat":
        layer |= {"dim": dim} if dim != 1 else {}
        draw.spoil(0.1, layer, dim=[len(shape), -len(shape) - 1])
    if len(names) > 1 and draw.likely(0.3):
        other = inputs[names[-1]]
        other[draw.randrange(len(other))] += 1
    return {"inputs": inputs, "layers": [layer]}


def batch_norm(draw):
    axes, kind = draw.axes(), draw.choice(["BatchNorm", "InstanceNorm"])
    shape = draw.shape(axes)
    if draw.likely(0.15):
        shape[2:] = [1] * axes
    layer = {"type": f"{kind}{axes}d", **draw.maybe(0.4, affine=draw.likely(0.5))}
    layer |= draw.maybe(0.4, num_features=shape[1])
    if kind == "BatchNorm" and draw.likely(0.3):
        shape = shape[:2] + draw.shape(draw.randint(0, 3))[2:]
    if layer.get("affine", kind == "BatchNorm"):
        draw.spoil(0.1, layer, num_features=[shape[1] + 1])
    return one(shape, layer)


def other_norm(draw):
    kind = draw.choice(["GroupNorm", "GroupNorm", "LayerNorm", "LayerNorm", "LocalResponseNorm"])
    shape = draw.any_shape(low=2)
    if kind == "LocalResponseNorm":
        return one(shape, {"type": kind, "size": draw.choice([1, 2, 3, 5, 5, 0])})
    if kind == "LayerNorm":
        sizes = shape[draw.randrange(len(shape)) :]
        sizes[0] += draw.likely(0.25)
        sizes = sizes[0] if len(sizes) == 1 and draw.likely(0.5) else sizes
        return one(shape, {"type": kind, "normalized_shape": sizes, **draw.maybe(0.3, elementwise_affine=False)})
    shape[1] = draw.choice([1, 2, 4, 6, 12])
    layer = {"type": kind, "num_groups": draw.choice(divisors(shape[1])), **draw.maybe(0.5, num_channels=shape[1])}
    draw.spoil(0.2, layer, num_groups=[0, shape[1] + 1], num_channels=[2 * shape[1]])
    return one(shape, layer if layer.get("num_channels") != shape[1] else layer | draw.maybe(0.3, affine=False))


def activation(draw):
    shape, kind = draw.any_shape(), draw.choice([*ACTIVATIONS, "Dropout1d", "Dropout2d", "Dropout3d"])
    if kind not in ACTIVATIONS:
        return one(draw.shape(int(kind[-2])), {"type": kind, **draw.maybe(0.5, p=0.25)})
    layer = {"type": kind, **draw.maybe(0.4, **ACTIVATIONS[kind])}
    return one(shape, draw.spoil(0.3 * ("Dropout" in kind), layer, p=[1.5, -0.1]))


def softmax_prelu(draw):
    shape, kind = draw.any_shape(), draw.choice(["Softmax", "LogSoftmax", "PReLU", "PReLU"])
    if kind == "PReLU":
        return one(shape, {"type": kind, **draw.maybe(0.8, num_parameters=draw.choice([1, shape[1 % len(shape)], 3]))})
    return one(shape, {"type": kind, "dim": draw.randint(-len(shape) - 1, len(shape))})


def block(draw):
    """A convolution, then two of: normalisation, activation, pool."""
    request = draw.choice([conv, conv, conv_transpose])(draw)
    axes = len(request["input"]) - 2
    steps = [{"type": f"BatchNorm{axes}d"}, {"type": draw.choice(["ReLU", "LeakyReLU", "PReLU"])}]
    steps.append({"type": f"MaxPool{axes}d", "kernel_size": 2, **draw.maybe(0.4, ceil_mode=True)})
    request["layers"] += draw.sample(steps, 2)
    return request


def head(draw):
    """A layer over space, Flatten, and Linear with the right or a wrong in_features."""
    axes = draw.axes()
    adaptive = {"type": f"AdaptiveAvgPool{axes}d", "output_size": draw.randint(1, 3)}
    strided = {"type": f"Conv{axes}d", "out_channels": 4, "kernel_size": 3, "stride": draw.randint(1, 2)}
    request = one(draw.shape(axes, low=3), draw.choice([adaptive, strided]))
    request["layers"].append({"type": "Flatten"})
    features = run(request)[0][1] + draw.choice([0, 0, 1])
    request["layers"].append({"type": "Linear", "in_features": features, "out_features": 10})
    return request


def skip(draw):
    """Two branches from the input, joined: a residual or a concatenation."""
    kernel = draw.choice([1, 3, 3, 4, 5])
    a = {"type": "Conv2d", "name": "a", "out_channels": 4, "kernel_size": kernel, "stride": draw.choice([1, 1, 2])}
    a["padding"] = draw.choice([kernel // 2, kernel // 2, 0])
    b = {"type": "Conv2d", "name": "b", "from": "input", "out_channels": draw.choice([4, 4, 1, 6]), "kernel_size": 1}
    b |= draw.maybe(0.3, stride=2)
    join = {"type": draw.choice(["Add", "Mul", "Concat"]), "from": draw.sample(["a", "b"], 2)}
    return {"input": draw.shape(2, low=4), "layers": [a, b, join]}


def wrong_rank(draw):
    """Any of the layers over space on one axis too many, or two too few (one is PyTorch's input without a batch)."""
    request = draw.choice([conv, conv_transpose, pool, adaptive_pool, padding, upsample, batch_norm])(draw)
    shape = request["input"]
    request["input"] = draw.choice([[*shape, 4], shape[:-2] or shape])
    return request


# A family's function, and the numbers of valid and of invalid cases wanted of it.
FAMILIES = [
    (conv, 350, 110),
    (conv_transpose, 300, 110),
    (pool, 360, 115),
    (max_unpool, 100, 40),
    (adaptive_pool, 80, 15),
    (padding, 250, 75),
    (upsample, 150, 50),
    (shuffle, 80, 35),
    (linear, 35, 10),
    (flatten, 50, 20),
    (reshape, 80, 40),
    (permute, 30, 12),
    (slicing, 80, 25),
    (mean, 50, 20),
    (merge, 110, 40),
    (batch_norm, 80, 30),
    (other_norm, 90, 35),
    (activation, 100, 4),
    (softmax_prelu, 50, 20),
    (block, 70, 25),
    (head, 40, 20),
    (skip, 35, 20),
    (wrong_rank, 0, 60),
]


def cases_of(family, valid, invalid):
    """As many distinct cases of a family as wanted, in the order in which they are drawn."""
    draw = Draw(f"{SEED} {family.__name__}")
    wanted, seen = {True: valid, False: invalid}, set()
    for _ in range(DRAWS * (valid + invalid)):
        request = family(draw)
        key = json.dumps(request)
        if key in seen:
            continue
        seen.add(key)
        try:
            answer = run(request)
        except Empty:
            continue
        if wanted[answer is not None]:
            wanted[answer is not None] -= 1
            output, params = answer or (None, None)
            yield {"request": request, "output": output} | ({"params": params} if answer else {})
        if not any(wanted.values()):
            return
    raise SystemExit(f"{family.__name__}: no more cases found; still wanted: {wanted}")


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("layers.jsonl")
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False), path.open("w", encoding="utf-8") as out:
        for row in FAMILIES:
            for case in cases_of(*row):
                out.write(json.dumps(case, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
