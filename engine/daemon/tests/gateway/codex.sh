#!/bin/sh
# Stands in for the Codex CLI: finds its endpoint as the preset says, asks it, and writes what it hears.
exec python3 -I - "$@" <<'PYTHON'
import json, os, re, socket, sys, urllib.request

url = next(re.search(r'base_url="([^"]+)"', word).group(1) for word in sys.argv if "base_url" in word)
prompt, model = sys.argv[-1], sys.argv[sys.argv.index("-m") + 1]
body = json.dumps(dict(model=model, input=prompt + "\n" + open("program.py").read(), stream=True)).encode()
headers = {"authorization": "Bearer " + os.environ["GATEWAY_TOKEN"], "content-type": "application/json"}
text = ""
for line in urllib.request.urlopen(urllib.request.Request(url + "/responses", body, headers), timeout=30):
    if line.startswith(b"data: {"):
        event = json.loads(line[6:])
        text += event.get("delta", "") if event["type"] == "response.output_text.delta" else ""
loot = [dict(os.environ), os.listdir(os.environ["HOME"]), os.path.expanduser("~")]
for place in "PLANTED", "/root", "/proc/1/environ":
    try:
        loot.append(os.listdir(place) if os.path.isdir(place) else open(place).read())
    except OSError as error:
        loot.append(type(error).__name__)
reached = []
for port in PORTS:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        reached.append(port)
    except OSError:
        pass
print(loot, flush=True)
with open("program.py", "w") as file:
    file.write(text + "# " + repr(loot) + "\n")
with open(os.environ["EVOLVE_RESULT"], "w") as file:
    json.dump(dict(summary="reached %r; HOME had %r" % (reached, loot[1])), file)
PYTHON
