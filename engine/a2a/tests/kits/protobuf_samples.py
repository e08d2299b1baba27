"""Writes samples of every message of A2A 1.0 as the Python SDK (PyPI a2a-sdk 1.3) encodes them.

Usage: python protobuf_samples.py > protobuf_samples.json
Each sample has the message's type, its fields as ProtoJSON and its bytes. Every field is filled, and there is one sample
for each member of each choice, so that a number, a type or a name that differs here and there is seen.
"""

import base64
import json

from a2a.types import a2a_pb2 as pb
from google.protobuf import json_format, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import FieldDescriptor as Field

TYPES = [
    "Message", "Part", "Task", "StreamResponse", "SendMessageRequest", "SendMessageResponse", "GetTaskRequest",
    "ListTasksRequest", "ListTasksResponse", "CancelTaskRequest", "SubscribeToTaskRequest",
    "TaskPushNotificationConfig", "GetTaskPushNotificationConfigRequest", "DeleteTaskPushNotificationConfigRequest",
    "ListTaskPushNotificationConfigsRequest", "ListTaskPushNotificationConfigsResponse", "AgentCard",
]
DATA = {"members": [None, True, "text", 7, -1.5, 1e300, {"inner": []}]}


def scalar(field):
    if field.type == Field.TYPE_STRING:
        return f"the {field.name}"
    if field.type == Field.TYPE_BYTES:
        return bytes(range(251, 256))
    if field.type == Field.TYPE_ENUM:
        return field.enum_type.values[-1].number
    if field.type == Field.TYPE_BOOL:
        return True
    return 10 + field.number


def number(text):
    """Whole numbers without a point, as most writers of ProtoJSON have them; Python's has one."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value


def fill(message, choose):
    """Fills every field; of a choice, the member that `choose` names by its place. What is left of `choose` beyond the
    number of members is for the choices within."""
    if isinstance(message, struct_pb2.Struct):
        message.update(DATA)
        return
    if isinstance(message, struct_pb2.Value):
        json_format.ParseDict(DATA, message)
        return
    if isinstance(message, timestamp_pb2.Timestamp):
        message.FromJsonString("2026-05-26T01:02:03.456Z")
        return
    for field in message.DESCRIPTOR.fields:
        choice = field.containing_oneof
        within = choose
        if choice and len(choice.fields) > 1:
            within, place = divmod(choose, len(choice.fields))
            if choice.fields[place] is not field:
                continue
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            entry = field.message_type.fields_by_name["value"]
            if entry.message_type:
                fill(value["key"], within)
            else:
                value["key"] = scalar(entry)
        elif field.is_repeated:
            if field.message_type:
                fill(value.add(), within)
            else:
                value.extend([scalar(field), "another"])
        elif field.message_type:
            value.SetInParent()
            fill(value, within)
        else:
            setattr(message, field.name, scalar(field))


samples = []
for name in TYPES:
    seen = set()
    # Security schemes have five members, and so have the flows within one. What the others hold has samples of its own.
    for choose in range(25 if name == "AgentCard" else 4):
        message = getattr(pb, name)()
        fill(message, choose)
        encoded = message.SerializeToString(deterministic=True)
        if encoded not in seen:
            seen.add(encoded)
            fields = json.loads(json_format.MessageToJson(message), parse_float=number)
            samples.append({"type": name, "fields": fields, "bytes": base64.b64encode(encoded).decode()})
print("[\n" + ",\n".join(json.dumps(sample) for sample in samples) + "\n]")
