"""POST /v1/convolve over HTTP: what a request takes and where, and what others notice while the threads that compute are
full. Rows of the table."""
import array
import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
HOST = "127.0.0.1"
TIMES_SLOWER = 10
HEAVY_CLIENTS = 8
FIVE_BY_FIVE = {
    "layer": {"type": "Conv2d", "out_channels": 1, "kernel_size": 3, "bias": False},
    "input": [[[[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]]],
    "weight": [[[[0, 1, 2], [2, 2, 0], [0, 1, 2]]]],
}


def tensor(*shape):
    count = 1
    for size in shape:
        count *= size
    values = array.array("d", ((at * 7919 % 1000) / 1000 - 0.5 for at in range(count)))
    return {"shape": shape, "dtype": "float64", "base64": base64.b64encode(values.tobytes()).decode()}


def in_base64(channels, height, width, out_channels, kernel):
    return {"layer": {"type": "Conv2d", "out_channels": out_channels, "kernel_size": kernel, "padding": kernel // 2,
                      "bias": False},
            "input": tensor(1, channels, height, width), "weight": tensor(out_channels, channels, kernel, kernel),
            "encoding": "base64"}


def large():
    case = next(case for case in json.loads((HERE / "conv_cases.json").read_text()) if case["name"] == "large")
    return in_base64(case["c"], case["h"], case["w"], case["oc"], case["k"])


def largest():
    """Nearly as many multiplications and elements of the reply as are allowed: 3.96 · 10^9 and 2 · 10^6."""
    return in_base64(16, 125, 128, 128, 11)


# ---- One client -----------------------------------------------------------------------------------------------------

def split_of(reply):
    timing = reply.getheader("Server-Timing")
    return [float(re.search(rf"{part};dur=([\d.]+)", timing)[1]) for part in ("decode", "compute", "encode")]


def post(connection, body):
    start = time.perf_counter()
    connection.request("POST", "/v1/convolve", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    text = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"status {reply.status}: {text[:200]}")
    return [(time.perf_counter() - start) * 1000, *split_of(reply)]


def add_split_row(add_row, what, port, body, count):
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    post(connection, body)
    figures = [post(connection, body) for _ in range(count)]
    connection.close()
    whole, decode, compute, encode = (statistics.median(column) for column in zip(*figures))
    add_row(what, whole, "ms",
            note=f"decode {decode:.3g} ms, compute {compute:.3g} ms, encode {encode:.3g} ms; one client, Python's included")


# ---- Many clients ---------------------------------------------------------------------------------------------------

def wrk(port, path, body_file, clients, seconds, **options):
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s", "--latency", "-s",
               str(HERE / "post.lua"), f"http://{HOST}:{port}{path}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "BODY": str(body_file)},
                            **options)


def figures_of(process):
    text = process.communicate()[0]
    if process.returncode or "Non-2xx" in text:
        raise RuntimeError(f"wrk saw errors: {text[-300:]}")
    value, unit = re.search(r"^\s+99%\s+([\d.]+)(\D+)$", text, re.MULTILINE).groups()
    p99_ms = float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit.strip()]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), p99_ms


@contextlib.contextmanager
def heavy_load(port, directory, seconds):
    """The clients of the largest convolutions, once the first of these have been answered."""
    body_file = directory / "largest.json"
    if not body_file.exists():
        body_file.write_text(json.dumps(largest()))
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    process = wrk(port, "/v1/convolve", body_file, HEAVY_CLIENTS, seconds)
    try:
        post(connection, body_file.read_bytes())
        yield process
    finally:
        connection.close()
        process.kill()
        process.communicate()


def measure_tail(add_row, port, directory, shapes_file, clients, rounds, seconds):
    """The 99th percentile of /v1/shapes alone and beside the largest convolutions, in turns."""
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(figures_of(wrk(port, "/v1/shapes", shapes_file, clients, seconds))[1])
        with heavy_load(port, directory, seconds + 30):
            beside.append(figures_of(wrk(port, "/v1/shapes", shapes_file, clients, seconds))[1])
    ratios = sorted(loaded / idle for loaded, idle in zip(beside, alone))
    add_row(f"p99 of /v1/shapes, {clients} client{'s' * (clients > 1)}, beside {HEAVY_CLIENTS} of the largest convolutions",
            statistics.median(beside), "ms", statistics.median(alone), statistics.median(ratios),
            (ratios[0], ratios[-1]), f"≤ {TIMES_SLOWER} × without them", statistics.median(ratios) <= TIMES_SLOWER,
            f"{rounds} rounds; all of them, not quartiles")


def measure(add_row, serving, directory, shapes_file, rounds, seconds):
    small, big = json.dumps(FIVE_BY_FIVE).encode(), json.dumps(large()).encode()
    small_file = directory / "five-by-five.json"
    small_file.write_bytes(small)
    with serving(1) as (_, port):
        rate, p99_ms = figures_of(wrk(port, "/v1/convolve", small_file, 32, seconds))
        add_row("convolve the guide's 5 × 5 over HTTP, workers: 1", rate, "requests/s", note=f"p99 {p99_ms:.3g} ms")
        add_split_row(add_row, "  one request", port, small, 20 * rounds)
        add_split_row(add_row, "convolve the large row in base64 over HTTP", port, big, 2 * rounds)
    with serving(os.cpu_count() or 1) as (_, port):
        for clients in (1, 32):
            measure_tail(add_row, port, directory, shapes_file, clients, rounds, seconds)
