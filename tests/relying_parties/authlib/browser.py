"""A browser without a screen: cookies, redirects, and forms that are filled in by the names of their fields."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Page(HTMLParser):
    """A page with its first form; without a text it is an address that was not opened."""

    def __init__(self, url, html=""):
        super().__init__()
        self.url, self.html = url, html
        self.step = self.action = self.button = None
        self.fields = {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "main":
            self.step = attrs.get("data-step")
        elif tag == "form" and self.action is None:
            self.action = attrs["action"]
        elif tag == "input" and self.action is not None:
            self.fields[attrs["name"]] = attrs.get("value") or ""
        elif tag == "button" and self.action is not None and self.button is None:
            self.button = attrs


class Browser:
    def __init__(self):
        self.session = requests.Session()
        self.session.trust_env = False

    def open(self, url, destination, form=None):
        """Goes on to the first page; or to `destination`, which is not opened but returned as the page's address."""
        for _ in range(10):
            if url.startswith(destination):
                return Page(url)
            method = "GET" if form is None else "POST"
            answer = self.session.request(method, url, data=form, allow_redirects=False, timeout=30)
            if "location" not in answer.headers:
                return Page(url, answer.text)
            url, form = urljoin(url, answer.headers["location"]), None
        raise AssertionError(f"no end of redirects at {url}")

    def submit(self, page, fields, destination):
        """Fills in the page's form and presses the button that goes on, which is the first."""
        missing = fields.keys() - page.fields.keys()
        assert not missing, f"no field {missing} in the step {page.step} at {page.url}"
        form = page.fields | fields
        if "name" in page.button:
            form[page.button["name"]] = page.button.get("value", "")
        return self.open(urljoin(page.url, page.action), destination, form)
