#!/usr/bin/env python3
"""Write decoders.jsonl: encoders, the decoders that convplan designs for them, and PyTorch's sizes.

Each line is one case:

    {"request": {a body of POST /v1/decoder}, "decoder": [layers], "shapes": [a shape for each]}

The decoder is what `convplan decoder` answers. PyTorch runs the encoder and then, on its result,
the decoder; `shapes` are those of the decoder's layers. The script fails when PyTorch refuses a
layer or the last shape is not that of the input, so every committed case is a decoder that works.

Usage: make_decoders.py CONVPLAN [FILE]        default: decoders.jsonl beside this script
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import torch

from make_layers import apply, listed

SEED = 1603
CASES = 160


class Draw(random.Random):
    def per_axis(self, axes, low, high):
        numbers = [self.randint(low, high) for _ in range(axes)]
        return self.choice([numbers, numbers[0]])

    def maybe(self, chance, **members):
        return members if self.random() < chance else {}


def convolution(draw, axes):
    pairs = [[draw.randint(0, 2), draw.randint(0, 2)] for _ in range(axes)]
    layer = {"type": f"Conv{axes}d", "out_channels": draw.choice([4, 8]), "kernel_size": draw.per_axis(axes, 1, 4)}
    layer |= {"stride": draw.per_axis(axes, 1, 3), "padding": draw.choice([1, 1, "half", "full", pairs])}
    layer |= draw.maybe(0.2, dilation=draw.per_axis(axes, 1, 2))
    return layer | draw.maybe(0.2, groups=2) | draw.maybe(0.2, bias=False)


def pool(draw, axes):
    kernel = draw.per_axis(axes, 2, 3)
    layer = {"type": f"{draw.choice(['Max', 'Max', 'Avg'])}Pool{axes}d", "kernel_size": kernel}
    layer |= draw.maybe(0.6, stride=draw.per_axis(axes, 1, 3)) | draw.maybe(0.4, padding=1)
    return layer | draw.maybe(0.5, ceil_mode=True)


def transposed(draw, axes):
    layer = {"type": f"ConvTranspose{axes}d", "out_channels": 4, "kernel_size": draw.per_axis(axes, 2, 4)}
    return layer | {"stride": 2} | draw.maybe(0.5, padding=1) | draw.maybe(0.5, output_padding=1)


def carried(draw, axes):
    norm = draw.choice([f"BatchNorm{axes}d", f"InstanceNorm{axes}d"])
    return {"type": draw.choice(["ReLU", "Tanh", "GELU", norm, norm])}


def other(draw, axes):
    border = {"type": f"ZeroPad{axes}d", "padding": [[draw.randint(-1, 2), draw.randint(0, 2)] for _ in range(axes)]}
    upsample = {"type": "Upsample", "scale_factor": draw.choice([2, 1.5])}
    shuffles = [{"type": "PixelShuffle", "upscale_factor": 2}, {"type": "PixelUnshuffle", "downscale_factor": 2}]
    return draw.choice([border, upsample, *(shuffles if axes == 2 else [])])


def end(draw):
    dense = [{"type": "Linear", "out_features": 8}, {"type": "ReLU"}, {"type": "Linear", "out_features": 3}]
    return [{"type": "Flatten"}] + dense[: draw.choice([0, 1, 3])]


def request(draw):
    axes = draw.choice([1, 2, 2, 2, 3])
    makers = [convolution] * 4 + [pool] * 2 + [carried] * 3 + [transposed, other]
    layers = [draw.choice(makers)(draw, axes) for _ in range(draw.randint(1, 5))]
    sizes = [draw.randint(7, {1: 40, 2: 32, 3: 12}[axes]) for _ in range(axes)]
    layers += end(draw) if draw.random() < 0.2 else []
    for number, layer in enumerate(layers):
        layer["name"] = f"x{number}"
    inverse = draw.choice(["conv_transpose", "unpool", "upsample"])
    return {"input": [1, 4, *sizes], "encoder": layers, "pool_inverse": inverse}


def design(convplan, body):
    """The designed decoder, or None where the encoder does not work or cannot be undone."""
    done = subprocess.run(
        [convplan, "decoder", "--format", "json", "-"], input=json.dumps(body), capture_output=True, text=True
    )
    return json.loads(done.stdout)["decoder"] if done.returncode == 0 else None


def says_what_torch_has(layers):
    """MaxUnpool of torch.nn has one padding for both sides."""
    return not any("Unpool" in layer["type"] and isinstance(listed(layer["padding"], 1)[0], list) for layer in layers)


def case(convplan, body):
    decoder = design(convplan, body)
    if not decoder or not says_what_torch_has(decoder):
        return None
    x, shapes = torch.zeros(body["input"]), []
    for layer in body["encoder"]:
        x = apply(layer, [x])[1]
    for layer in decoder:
        x = apply(layer, [x])[1]
        shapes.append(list(x.shape))
    if shapes[-1] != body["input"]:
        raise SystemExit(f"PyTorch's last shape is {shapes[-1]}: {json.dumps(body)}")
    return {"request": body, "decoder": decoder, "shapes": shapes}


def main(convplan, file=Path(__file__).with_name("decoders.jsonl")):
    draw, lines = Draw(SEED), []
    torch.manual_seed(SEED)
    while len(lines) < CASES:
        found = case(convplan, request(draw))
        if found:
            lines.append(json.dumps(found, separators=(",", ":")))
    Path(file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} decoders")


if __name__ == "__main__":
    with torch.no_grad():
        main(*sys.argv[1:])
