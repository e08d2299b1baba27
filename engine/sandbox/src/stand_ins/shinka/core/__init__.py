# The one function of ShinkaEvolve's core that evaluators call.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)

from .wrap_eval import run_shinka_eval, save_json_results
