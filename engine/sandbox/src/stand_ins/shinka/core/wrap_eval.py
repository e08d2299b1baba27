# run_shinka_eval by ShinkaEvolve's contract: calls a function of the candidate several times, lets the task validate and
# aggregate the results, writes metrics.json and correct.json. Runs one after the other: a cell has one candidate's share of
# the machine. Where run_workers asks for several at once, each has a program and arguments of its own, as it would in a
# process of its own. Early stopping and plots are left to the installed package.
import importlib.util
import json
import math
import os
import pickle
import statistics
import time

ON_ERROR = {
    "combined_score": 0.0,
    "execution_time_mean": 0.0,
    "execution_time_std": 0.0,
    "num_successful_runs": 0,
    "num_valid_runs": 0,
    "num_invalid_runs": 0,
    "all_validation_errors": [],
}


def load_program(program_path):
    """The candidate as a module of its own."""
    spec = importlib.util.spec_from_file_location("program", program_path)
    if spec is None or spec.loader is None:
        raise ImportError("cannot load a module from " + str(program_path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def save_json_results(results_dir, metrics, correct, error=None):
    """Writes the two files that are the whole answer."""
    os.makedirs(results_dir, exist_ok=True)
    for name, content in (("correct.json", {"correct": correct, "error": error}), ("metrics.json", metrics)):
        with open(os.path.join(results_dir, name), "w") as file:
            json.dump(content, file, indent=4)


class Runs:
    """Results of the candidate's runs and what validation said of them."""

    def __init__(self, validate):
        self.results = []
        self.seconds = []
        self.valid = 0
        self.invalid = 0
        self.errors = []
        self._validate = validate

    def run(self, function, arguments):
        began = time.perf_counter()
        result = function(**arguments)
        self.seconds.append(time.perf_counter() - began)
        self.results.append(result)
        if self._validate is None:
            return
        good, message = self._validate(result)
        if good:
            self.valid += 1
            return
        self.invalid += 1
        if message and message not in self.errors:
            self.errors.append(message)

    def measured(self, metrics):
        """The metrics with what is known of the runs."""
        metrics["execution_time_mean"] = float(statistics.fmean(self.seconds)) if self.seconds else 0.0
        metrics["execution_time_std"] = float(statistics.pstdev(self.seconds)) if self.seconds else 0.0
        if self._validate is not None:
            metrics["num_valid_runs"] = self.valid
            metrics["num_invalid_runs"] = self.invalid
            metrics["all_validation_errors"] = self.errors
        return metrics


def are_apart(num_runs, run_workers, max_workers_cap):
    """Whether ShinkaEvolve would make the runs in several processes."""
    if run_workers < 1 or (max_workers_cap is not None and max_workers_cap < 1):
        raise ValueError("run_workers and max_workers_cap must be >= 1")
    return min(num_runs, run_workers, max_workers_cap or run_workers) > 1


def carried(value):
    """A value as it comes out of another process."""
    return pickle.loads(pickle.dumps(value))


def preview(results):
    """Metrics of a task that aggregates nothing."""
    return {
        "num_successful_runs": len(results),
        "first_run_result_type": str(type(results[0])) if results else "N/A",
        "raw_results_preview": str(results[:2]) if results else "N/A",
    }


def load_experiment(program_path, name):
    """The function of a program loaded anew."""
    module = load_program(program_path)
    if not hasattr(module, name):
        raise AttributeError(f"Experiment function '{name}' not found in {program_path}")
    return getattr(module, name)


def run_shinka_eval(
    program_path,
    results_dir,
    experiment_fn_name,
    num_runs,
    get_experiment_kwargs=None,
    aggregate_metrics_fn=None,
    validate_fn=None,
    plotting_fn=None,
    default_metrics_on_error=None,
    early_stop_method=None,
    run_workers=1,
    max_workers_cap=None,
    **settings,
):
    """Evaluates a candidate; answers (metrics, correct, the first error's text)."""
    if early_stop_method is not None:
        print("early stopping is not done here: all runs are made")
    apart = are_apart(num_runs, run_workers, max_workers_cap)
    runs = Runs(validate_fn)
    error = None
    try:
        experiment = load_experiment(program_path, experiment_fn_name)
        for index in range(num_runs):
            arguments = get_experiment_kwargs(index) if get_experiment_kwargs else {"seed": index + 1}
            if apart:
                arguments = carried(arguments)
            if apart and index > 0:
                experiment = load_experiment(program_path, experiment_fn_name)
            runs.run(experiment, arguments)
        metrics = runs.measured((aggregate_metrics_fn or preview)(runs.results))
        if runs.errors:
            error = "Validation failed: " + runs.errors[0]
        score = metrics.get("combined_score", 0.0)
        if not math.isfinite(score):
            error = error or f"combined_score is {score}"
        correct = runs.invalid == 0 and math.isfinite(score)
    except Exception as raised:
        defaults = default_metrics_on_error or ON_ERROR
        metrics = {name: defaults.get(name, value) for name, value in ON_ERROR.items()}
        correct, error = False, str(raised)
    if "extra_data" in metrics:
        os.makedirs(results_dir, exist_ok=True)
        with open(os.path.join(results_dir, "extra.pkl"), "wb") as file:
            pickle.dump(metrics.pop("extra_data"), file)
    save_json_results(results_dir, metrics, correct, error)
    return metrics, correct, error
