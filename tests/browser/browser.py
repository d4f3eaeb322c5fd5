"""tests/browser/browser.py: a headless Chromium, driven over the WebDriver protocol (w3.org/TR/webdriver2) with what Python
has."""

import base64
import json
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request


def find():
    """(browser, driver), or None where either is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """A window that is closed at the end of a with statement."""

    def __init__(self, width=1280, height=900):
        browser, driver = find()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.driver = subprocess.Popen([driver, f"--port={self.port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        options = {"binary": browser, "args": ["--headless=new", "--no-sandbox", "--disable-gpu",
                                               "--disable-dev-shm-usage", f"--window-size={width},{height}"]}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        self.path = ""
        deadline = time.monotonic() + 30
        while True:
            try:
                self.path = f"/session/{self.call('POST', '/session', {'capabilities': capabilities})['sessionId']}"
                return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline or self.driver.poll() is not None:
                    self.driver.kill()
                    raise
                time.sleep(0.1)

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{self.path}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def open(self, file):
        self.call("POST", "/url", {"url": pathlib.Path(file).resolve().as_uri()})

    def run(self, script, *arguments):
        """What the body of a function of JavaScript returns; a promise is awaited."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_until(self, condition, *arguments):
        """Until an expression of JavaScript is true; an AssertionError after ten seconds."""
        deadline = time.monotonic() + 10
        while not self.run(f"return {condition}", *arguments):
            if time.monotonic() > deadline:
                raise AssertionError(f"never true: {condition}, arguments {arguments}")
            time.sleep(0.02)

    def keys(self, text):
        """Types to what has the focus."""
        strokes = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def point(self, x, y, press=False):
        """Moves the mouse in the window, and clicks."""
        moves = [{"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}]
        if press:
            moves += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": moves}]})

    def emulate(self, **features):
        """Sets media features, as prefers_color_scheme="dark"; or media="print"."""
        media = features.pop("media", "")
        parameters = {"media": media,
                      "features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]}
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": parameters})

    def resize(self, width, height):
        parameters = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": parameters})

    def console(self):
        """Messages since the last call, errors of the network and of the content policy among them."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def pdf(self):
        return base64.b64decode(self.call("POST", "/print", {}))

    def screenshot(self, file, selector):
        """The first element that the CSS selector names, as a PNG file."""
        element = self.call("POST", "/element", {"using": "css selector", "value": selector})
        picture = self.call("GET", f"/element/{next(iter(element.values()))}/screenshot")
        pathlib.Path(file).write_bytes(base64.b64decode(picture))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)
