"""The same with pykka: import, start one actor, one answer."""

import pykka


class Greeter(pykka.ThreadingActor):
    def on_receive(self, message: str) -> str:
        return f"hello, {message}"


greeter = Greeter.start()
print(greeter.ask("world"), flush=True)
greeter.stop()
