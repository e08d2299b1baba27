import importlib.util


def evaluate(path):
    spec = importlib.util.spec_from_file_location("candidate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    right = sum(module.total(n) == n * (n + 1) // 2 for n in range(10))
    return {"right": right / 10, "combined_score": right / 10}
