"""What pages load: from the program itself, for a year, and only what is of this release."""
import re

from harness import same, true

ASSETS = (("grapnel.css", "text/css; charset=utf-8"), ("grapnel.js", "text/javascript; charset=utf-8"), ("favicon.svg", "image/svg+xml"))


def _urls(box):
    """As a browser finds them, in any page; the sign-in page needs nobody."""
    page = box.request("GET", "/no/such/page")
    same(page.header("Content-Type"), "text/html; charset=utf-8")
    return dict((name, url) for url, name in re.findall(r'(/assets/[0-9a-f]{16}/([a-z]+\.[a-z]+))', page.body.decode()))


def what_pages_load_is_kept_for_a_year(box):
    urls = _urls(box)
    same(sorted(urls), sorted(name for name, _ in ASSETS))
    for name, media_type in ASSETS:
        answer = box.request("GET", urls[name])
        same((answer.status, answer.header("Content-Type"), answer.header("Cache-Control"), answer.header("X-Content-Type-Options")),
             (200, media_type, "public, max-age=31536000, immutable", "nosniff"), name)
        true(answer.header("Set-Cookie") is None, "%s sets no cookie" % name)
        with open("%s/../../web/%s" % (__file__.rsplit("/", 1)[0], name), "rb") as f:
            same(answer.body, f.read(), "content of " + name)
        head = box.request("HEAD", urls[name])
        same((head.status, head.body, head.header("Content-Type")), (200, b"", media_type), "HEAD of " + name)


def other_releases_and_other_files_are_not_there(box):
    url = _urls(box)["grapnel.css"]
    for path in ("/assets/0000000000000000/grapnel.css", url.replace("grapnel.css", "favicon.svg"), url + "x", url[:-1], url + "/", "/assets",
                 "/assets/", "/assets/grapnel.css", url.replace("grapnel.css", "..%2f..%2fetc%2fpasswd"), url.replace("grapnel.css", "")):
        answer = box.request("GET", path)
        same(answer.status, 404, path)
        true(answer.header("Cache-Control") == "no-store", "%s: what is not there is not kept" % path)
    same(box.request("POST", url, b"a=b").status, 405, "POST")
