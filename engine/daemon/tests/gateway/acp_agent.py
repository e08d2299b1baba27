# An agent that speaks the Agent Client Protocol: it reads and writes through its client, asks for permission, and asks its
# model through the gateway.
import json
import os
import sys
import urllib.request


def send(message):
    print(json.dumps(dict(message, jsonrpc="2.0")), flush=True)


def receive():
    return json.loads(sys.stdin.readline())


def ask(number, method, **parameters):
    send(dict(id=number, method=method, params=parameters))
    answer = receive()
    assert answer["id"] == number, answer
    return answer


def model(prompt):
    body = dict(model="m", stream=True, messages=[dict(role="user", content=prompt)])
    headers = {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "content-type": "application/json"}
    url, text = os.environ["OPENAI_BASE_URL"] + "/chat/completions", ""
    for line in urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=30):
        if line.startswith(b"data: {"):
            choices = json.loads(line[6:]).get("choices") or [{}]
            text += choices[0].get("delta", {}).get("content") or ""
    return text


def main():
    print("a line of a log that is no message", flush=True)
    greeting = receive()
    assert greeting["method"] == "initialize" and greeting["params"]["clientCapabilities"]["fs"]["readTextFile"]
    send(dict(id=greeting["id"], result=dict(protocolVersion=1, agentCapabilities={}, authMethods=[])))
    opening = receive()
    work = opening["params"]["cwd"]
    assert opening["method"] == "session/new" and os.path.samefile(work, os.getcwd())
    send(dict(id=opening["id"], result=dict(sessionId="one")))
    prompt = receive()
    assert prompt["method"] == "session/prompt" and prompt["params"]["sessionId"] == "one"
    task = prompt["params"]["prompt"][0]["text"]
    for path in "/etc/passwd", work + "/../self/program.py", os.environ["EVOLVE_SELF"] + "/program.py":
        assert "error" in ask("outside", "fs/read_text_file", sessionId="one", path=path), path
    program = ask(1, "fs/read_text_file", sessionId="one", path=work + "/program.py")["result"]["content"]
    first = ask(2, "fs/read_text_file", sessionId="one", path=work + "/program.py", line=1, limit=1)["result"]["content"]
    assert program.startswith(first) and first == "def double(x):\n", first
    options = [dict(optionId="no", kind="reject_once", name="no"), dict(optionId="yes", kind="allow_once", name="yes")]
    permitted = ask(3, "session/request_permission", sessionId="one", toolCall=dict(toolCallId="t"), options=options)
    assert permitted["result"]["outcome"] == dict(outcome="selected", optionId="yes"), permitted
    answer = model(task + program)
    ask(4, "fs/write_text_file", sessionId="one", path=work + "/program.py", content=answer)
    update = dict(sessionUpdate="agent_message_chunk", content=dict(type="text", text="Doubled, as asked."))
    send(dict(method="session/update", params=dict(sessionId="one", update=update)))
    send(dict(id=prompt["id"], result=dict(stopReason="end_turn")))
    sys.stdin.read()


main()
