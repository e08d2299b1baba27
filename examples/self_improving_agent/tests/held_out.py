"""How many bugs that it never saw an agent repairs: `python -m tests.held_out`, from the agent's folder."""
import agent
from tests.held_out_bugs import BUGS
from tests.judge import is_repaired


def main():
    repaired = [bug["name"] for bug in BUGS if is_repaired(agent, bug, bug["cases"])]
    missed = [bug["name"] for bug in BUGS if bug["name"] not in repaired]
    print("%d of %d bugs repaired" % (len(repaired), len(BUGS)))
    print("missed: %s" % " ".join(missed))


if __name__ == "__main__":
    main()
