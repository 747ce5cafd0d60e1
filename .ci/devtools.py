"""A headless Chromium, driven by its DevTools protocol over a pipe: no port, and no library."""

import base64
import json
import os
import subprocess
import time


class Page:
    """One page of a browser of its own. Events that come while a call waits for its answer go to the listeners."""

    def __init__(self, profile, log):
        to_browser, ours_out = os.pipe()
        ours_in, from_browser = os.pipe()
        # Chromium reads its commands from descriptor 3 and answers on 4. As root it has no sandbox. No name but this
        # machine's resolves.
        command = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-sync", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", f"--user-data-dir={profile}",
            "--remote-debugging-pipe", "about:blank",
        ]
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *command], pass_fds=(to_browser, from_browser), stderr=log)
        os.close(to_browser)
        os.close(from_browser)
        self.out, self.into, self.rest = ours_out, ours_in, b""
        self.number, self.session, self.listeners = 0, None, {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def close(self):
        self.session = None
        self.send("Browser.close")
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def on(self, event, listener):
        self.listeners[event] = listener

    def send(self, method, **params):
        """Sends a command and does not wait for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        return self.number

    def call(self, method, **params):
        """Sends a command and gives its answer."""
        number = self.send(method, **params)
        while True:
            message = self.receive()
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]

    def receive(self):
        """The next message. An event goes to its listener first."""
        while b"\0" not in self.rest:
            data = os.read(self.into, 1 << 20)
            if not data:
                raise RuntimeError("the browser has ended")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        listener = self.listeners.get(message.get("method"))
        if listener:
            listener(message["params"])
        return message

    def evaluate(self, expression):
        """What an expression is in the page, once its promise is kept."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, expression, seconds=30):
        """Waits until an expression is true, and gives it."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            if time.monotonic() > deadline:
                raise AssertionError(f"gave up waiting for {expression}; the page says:\n{self.text('body')}")
            time.sleep(0.05)
        return value

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector):
        """Clicks where an element is, as a mouse does: what lies above it would be clicked instead."""
        found = json.dumps(selector)
        spot = self.evaluate(
            f"(() => {{ const it = document.querySelector({found}); it.scrollIntoView({{block: 'center'}}); "
            "const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2] })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)

    def press(self, key, code=None):
        """Presses a key where the focus is."""
        text = {"text": "\r"} if key == "Enter" else {}
        number = {"Enter": 13, "Tab": 9, "Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}[key]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, windowsVirtualKeyCode=number,
                      **(text if kind == "keyDown" else {}))

    def write(self, selector, text):
        """Writes into a field, in place of what is there."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        if text:
            self.call("Input.insertText", text=text)

    def choose(self, selector, value):
        """Gives a control a value, as choosing it does."""
        self.evaluate(f"(() => {{ const it = document.querySelector({json.dumps(selector)}); it.value = "
                      f"{json.dumps(value)}; it.dispatchEvent(new Event('change')) }})()")

    def screen(self, width, height=900, scheme="light"):
        """The size of the screen and its colours. One under 500 pixels wide is a phone's."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        """A picture of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))
