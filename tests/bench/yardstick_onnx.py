"""The yardstick of planning: onnx.shape_inference on torchvision's ResNet-50 without its weights, from the
serialised model. Prints microseconds of this thread's processor time: the median and quartiles of many runs.

    python3 tests/bench/yardstick_onnx.py [RUNS]
"""
import io
import statistics
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import onnx  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402


def model_bytes():
    file = io.BytesIO()
    network = torchvision.models.resnet50().eval()
    torch.onnx.export(network, torch.zeros(1, 3, 224, 224), file, export_params=False, keep_initializers_as_inputs=True,
                      opset_version=11)
    model = onnx.load_model_from_string(file.getvalue())
    model.graph.ClearField("value_info")  # the answer, which the exporter knows already
    return model.SerializeToString()


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    model = model_bytes()
    inferred = onnx.shape_inference.infer_shapes(model)
    if len(inferred.graph.value_info) < 100:
        sys.exit("yardstick_onnx: no shapes were inferred")
    times = []
    for _ in range(runs):
        start = time.thread_time_ns()
        onnx.shape_inference.infer_shapes(model)
        times.append((time.thread_time_ns() - start) / 1000)
    lower, middle, upper = statistics.quantiles(times, n=4)
    print(f"{middle:.1f} {lower:.1f} {upper:.1f}")


main()
