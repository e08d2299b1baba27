#!/bin/sh
# Stands in for Claude Code: the messages dialect, by the variables that it knows.
exec python3 -I - "$@" <<'PYTHON'
import json, os, sys, urllib.request

body = dict(model=sys.argv[sys.argv.index("--model") + 1], max_tokens=500, stream=True,
            messages=[dict(role="user", content=sys.argv[-1])])
headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
request = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), headers)
text = ""
for line in urllib.request.urlopen(request, timeout=30):
    if line.startswith(b"data: {"):
        text += json.loads(line[6:]).get("delta", {}).get("text", "")
open("program.py", "w").write(text)
PYTHON
