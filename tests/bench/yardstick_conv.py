"""PyTorch's binary64 convolutions on one thread, and Python's base64: the yardsticks of bench_reference, which answers
the same questions.

The first line says which BLAS is at work. Then for each line of standard input one line, of the best of several short
runs: for `n c h w oc k s p g forward|transposed` the seconds of processor time of one call, for `base64 BYTES` those of
encoding and of decoding random bytes.
"""
import base64
import ctypes
import random
import re
import sys
import time

import torch
import torch.nn.functional as F

SECONDS_OF_A_QUESTION, SECONDS_OF_A_RUN = 0.04, 0.004


def blas():
    with open("/proc/self/maps") as maps:
        found = re.search(r"/\S*libopenblas\S*", maps.read())
    if not found:
        return "not OpenBLAS"
    core = ctypes.CDLL(found[0]).openblas_get_corename
    core.restype = ctypes.c_char_p
    return f"OpenBLAS {core().decode()}"


def best_seconds(call):
    call()
    best, repeats, end = float("inf"), 1, time.thread_time() + SECONDS_OF_A_QUESTION
    while time.thread_time() < end:
        start = time.thread_time()
        for _ in range(repeats):
            call()
        taken = time.thread_time() - start
        best = min(best, taken / repeats)
        if taken < SECONDS_OF_A_RUN:
            repeats *= 2
    return best


def call_for(words):
    n, c, h, w, oc, k, s, p, g = map(int, words[:9])
    x, weight = torch.randn(n, c, h, w), torch.randn(oc, c // g, k, k)
    if words[9] == "forward":
        return lambda: F.conv2d(x, weight, stride=s, padding=p, groups=g)
    y = F.conv2d(x, weight, stride=s, padding=p, groups=g)
    rest = ((h + 2 * p - k) % s, (w + 2 * p - k) % s)
    return lambda: F.conv_transpose2d(y, weight, stride=s, padding=p, groups=g, output_padding=rest)


torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
print(blas(), flush=True)
with torch.no_grad():
    for line in sys.stdin:
        words = line.split()
        if words[0] == "base64":
            data = random.randbytes(int(words[1]))
            text = base64.b64encode(data)
            print(best_seconds(lambda: base64.b64encode(data)), best_seconds(lambda: base64.b64decode(text)), flush=True)
        else:
            print(best_seconds(call_for(words)), flush=True)
