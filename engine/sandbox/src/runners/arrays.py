# Arrays and numbers of numpy on the way between judge and candidate, where plain data does not do: name, shape and bytes
# in a tuple that says what it is. A message that holds some says so in `arrays`. Only what is made of numbers travels; an
# array of objects would be a way to run something on the other side.
ARRAY = "darwind array"
NUMBERS = "biufc"


def pack(value, _scalars=SCALARS, _series=SERIES):
    """A value with its arrays as plain data; a ValueError where something else is in it."""
    kind = type(value)
    if kind in _scalars:
        return value
    if kind is dict:
        return {pack(key): pack(item) for key, item in value.items()}
    if kind in _series:
        return kind([pack(item) for item in value])
    numpy = sys.modules.get("numpy")
    if numpy is not None and (kind is numpy.ndarray or issubclass(kind, numpy.generic)) and value.dtype.kind in NUMBERS:
        shape = tuple(value.shape) if kind is numpy.ndarray else None
        return (ARRAY, value.dtype.str, shape, value.tobytes())
    raise ValueError("not plain data: " + kind.__name__)


def unpack(value):
    """What `pack` was given."""
    kind = type(value)
    if kind is dict:
        return {unpack(key): unpack(item) for key, item in value.items()}
    if kind is tuple and len(value) == 4 and value[0] == ARRAY:
        numpy = __import__("numpy")
        form = numpy.dtype(value[1])
        if form.kind not in NUMBERS:
            raise ValueError("not an array of numbers")
        numbers = numpy.frombuffer(value[3], dtype=form)
        return numbers[0] if value[2] is None else numbers.reshape(value[2]).copy()
    if kind in SERIES:
        return kind([unpack(item) for item in value])
    return value


def without_arrays(message):
    """A message that is not plain data, as such; a ValueError where it holds something else than arrays of numbers."""
    try:
        return dict(pack(message), arrays=True)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def tell(channel, message):
    """Sends a message, its arrays as plain data."""
    try:
        channel.send(message)
    except ValueError:
        channel.send(without_arrays(message))


def image(message):
    """What a message would be sent as, to see whether it changes."""
    try:
        return written(message)
    except ValueError:
        return written(without_arrays(message))


def received(message):
    """A message as it was meant."""
    return unpack(message) if message.get("arrays") else message
