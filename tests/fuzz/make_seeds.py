#!/usr/bin/env python3
"""Write what a campaign starts from: tests/fuzz/make_seeds.py DIRECTORY

DIRECTORY/TARGET gets the target's seeds: the requests and replies of openapi.yaml's examples, the example networks, and
one in so many of the vectors that PyTorch has judged. They are made anew from these files, so they need no keeping.
"""
import itertools
import json
import pathlib
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTOR_STEP = 25  # of thousands
LONGEST = 20000   # bytes: a fuzzer does nothing useful with more


def text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_request(method, path, body="", media=None, accept=None):
    head = [f"{method} {path}"]
    head += [f"Content-Type: {media}"] if media else []
    head += [f"Accept: {accept}"] if accept else []
    return "\n".join(head) + "\n\n" + body


def described_requests(description):
    """Each example of a request, those that give a problem included."""
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            for media, described in content.items():
                for example in described.get("examples", {}).values():
                    yield as_request(method.upper(), path, text(example["value"]), media)
            parameters = [parameter for parameter in operation.get("parameters", []) if parameter.get("in") == "path"]
            for example in parameters[0].get("examples", {}).values() if parameters else ():
                yield as_request(method.upper(), path[:path.index("{")] + text(example["value"]))
            if not content and not parameters:
                yield as_request(method.upper(), path)


def asked_requests(node):
    """Those that stand with the reply that they get, wherever in the description."""
    if isinstance(node, dict):
        asked = node.get("x-request", {})
        if "path" in asked:
            yield as_request(asked.get("method", "GET"), asked["path"], text(asked.get("body", "")),
                             asked.get("content_type"), asked.get("accept"))
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from asked_requests(child)


def vector_requests():
    for name, path in (("layers", "/v1/shapes"), ("decoders", "/v1/decoder"), ("reference", "/v1/convolve")):
        with open(ROOT / f"tests/vectors/{name}.jsonl", encoding="utf-8") as lines:
            for line in itertools.islice(lines, 0, None, VECTOR_STEP if name == "layers" else 4):
                yield as_request("POST", path, text(json.loads(line)["request"]))


def example_requests():
    for file in sorted((ROOT / "server/examples").glob("*.json")):
        yield as_request("POST", "/v1/shapes", file.read_text(encoding="utf-8"))


def tensors(requests):
    for request in requests:
        _, _, body = request.partition("\n\n")
        try:
            asked = json.loads(body)
        except ValueError:
            continue
        for member in ("input", "weight", "bias", "output_gradient") if "layer" in asked else ():
            if member in asked:
                yield text(asked[member])


def write(directory, seeds):
    directory.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(seed for seed in seeds if len(seed) <= LONGEST):
        (directory / f"seed-{index:04}").write_text(seed, encoding="utf-8")


def main():
    directory = pathlib.Path(sys.argv[1])
    description = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    requests = [*described_requests(description), *asked_requests(description), *example_requests(), *vector_requests()]
    bodies = [body for body in (request.partition("\n\n")[2] for request in requests) if body]
    write(directory / "request", requests)
    write(directory / "json", bodies)
    write(directory / "tensor", tensors(requests))
    write(directory / "number", ["0", "-0.0", "1e309", "2.2250738585072011e-308", "9007199254740993", "0.1"])
    write(directory / "yaml", [yaml.safe_dump(example) for example in json.loads(bodies[0]).values()])
    print(f"{len(requests)} requests")


main()
