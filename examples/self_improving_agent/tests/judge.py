"""What counts as repaired: one of the first programs that the agent names holds on every case, shown or not."""
import trial

TRIES = 10


def is_repaired(agent, bug, cases):
    source = "\n".join(bug["source"])
    programs = agent.repair(source, bug["examples"], TRIES)
    return any(trial.passes(program, bug["examples"] + cases) for program in programs[:TRIES])
