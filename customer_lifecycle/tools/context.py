"""What the addon hands on to itself in the context, where nobody else can put it.

Whoever calls from outside sets the context as he likes: a plain value there would let him switch
off what follows from his own change, such as the points of an order that is credited. Comes in: a
value; goes out: a mark that holds it, which neither JSON nor XML can carry, and the value again
where it is such a mark. Called by what sets and reads keys that change what is done.
"""


class Mark(str):
    """A text, so that an action may carry the context to the browser; back comes a plain one."""


def own(value=True):
    """The value as only the addon's own code puts it into the context."""
    # told apart by its text where contexts are compared
    marked = Mark(repr(value))
    marked.value = value
    return marked


def own_value(env, key, default=None):
    """The value under a key of the context, if the addon has put it there."""
    found = env.context.get(key)
    return found.value if isinstance(found, Mark) else default
