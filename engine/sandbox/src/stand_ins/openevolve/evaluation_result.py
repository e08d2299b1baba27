# What an evaluator of OpenEvolve may return besides a plain dict.
from dataclasses import dataclass, field
from typing import Dict, Union


@dataclass
class EvaluationResult:
    """Numbers, and texts or bytes for whoever reads the evaluation."""

    metrics: Dict[str, float]
    artifacts: Dict[str, Union[str, bytes]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, metrics):
        return cls(metrics)

    def to_dict(self):
        return self.metrics

    def has_artifacts(self):
        return len(self.artifacts) > 0

    def get_artifact_keys(self):
        return [*self.artifacts]

    def get_artifact_size(self, key):
        """In bytes; 0 where there is none."""
        if key not in self.artifacts:
            return 0
        value = self.artifacts[key]
        return len(value) if isinstance(value, bytes) else len(str(value).encode())

    def get_total_artifact_size(self):
        return sum(map(self.get_artifact_size, self.artifacts))
