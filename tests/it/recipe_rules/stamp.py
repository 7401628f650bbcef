#!/usr/bin/env python3
"""Stamps one article by fourteen unusual rules, with hashlib and re alone.

The finder must find every one of them (tests/it/recipe_rules.rs). Run it in this folder to write the
pages again; it needs nothing of ours and the tests do not need it.
"""

import base64
import hashlib
import html
import json
import re

# (tag, id, type, inner HTML as written)
BLOCKS = [
    ("p", "k7QmB1xw", "general",
     "[강나루 기자] 한밭시 북구의 <b>물레방아 도서관</b>이 다음 달 3일 다시 문을 연다. 지난해 7월 폭우로 지하 서고가 잠긴 지 13개월 만이다."),
    ("p", "Zp04tLqa", "general",
     "도서관은 서고를 2층으로 올리고, 물에 젖은 책 4,218권 가운데 3,906권을 되살렸다.<br>나머지 312권은 &lsquo;물의 방&rsquo;에 전시한다."),
    ("h3", "u2VdR9eN", "h3", "젖은 책을 말린 사람들"),
    ("p", "aa81HsKc", "general",
     "  자원봉사자 57명이 책장 사이에\n  종이를 한 장씩 끼워 말렸다. &ldquo;손이 먼저 배웠다&rdquo;고 사서 도하린 씨는 말했다.  "),
    ("p", "Qw3nT6yB", "general",
     "말리는 데 쓴 종이는 모두 1.4톤, 선풍기는 86대였다. R&amp;D 부서도 습도계를 빌려주었다."),
    ("h3", "m5GxJ0oP", "h3", "When the stacks dried"),
    ("p", "L9cFy2Ue", "general",
     "A visitor from Oslo asked whether the old Reading Room would return; it will, with 40 new seats and a "
     "<a href=\"/plans?floor=2&amp;v=3\">lift</a>."),
    ("p", "e6RwI4Xs", "general", "개관식은 오전 10시에 열린다."),
]

SECTION = "Hb3vN8sLqT"
ADDRESS = "https://news.example/2026/0412/mill-library"
TITLE = "물레방아 도서관, 13개월 만에 다시 문 연다"


def text_of(inner):
    """Characters of the inner HTML, br being a space."""
    inner = re.sub(r"<br\s*/?>", " ", inner)
    return html.unescape(re.sub(r"<[^>]+>", "", inner))


def squeezed(text):
    return re.sub(r"[ \t\n\r\f\u00a0]+", " ", text).strip(" ")


def hmac(name, key, message):
    size = hashlib.new(name).block_size
    if len(key) > size:
        key = hashlib.new(name, key).digest()
    key = key.ljust(size, b"\0")
    inner = hashlib.new(name, bytes(b ^ 0x36 for b in key) + message).digest()
    return hashlib.new(name, bytes(b ^ 0x5C for b in key) + inner).hexdigest()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def attributes(block, attribute=None, value=None):
    tag, pid, kind, _ = block
    own = f' {attribute}="{value}"' if attribute else ""
    return f'<{tag}{own} dmcf-pid="{pid}" dmcf-ptype="{kind}">'


def outer(block, attribute=None, value=None):
    return attributes(block, attribute, value) + block[3] + f"</{block[0]}>"


# name, attribute, rule(block, number counted from 1, hash before)
RULES = [
    ("pid-bar-text", "contents-hash", lambda b, n, before: sha256(b[1] + "|" + squeezed(text_of(b[3])))),
    ("hex-of-hex", "contents-hash", lambda b, n, before: sha256(sha256(squeezed(text_of(b[3]))))),
    ("hmac-section-inner", "contents-hash",
     lambda b, n, before: hmac("sha256", SECTION.encode(), b[3].encode())),
    ("sha3-dense-lower", "contents-hash",
     lambda b, n, before: hashlib.sha3_256(re.sub(r"\s+", "", text_of(b[3])).lower().encode()).hexdigest()),
    ("sha512-cut", "contents-hash",
     lambda b, n, before: hashlib.sha512(re.sub(r"<[^>]+>", "", b[3]).strip().encode()).hexdigest()[:64]),
    ("blake2s-outer", "contents-hash", lambda b, n, before: hashlib.blake2s(outer(b).encode()).hexdigest()),
    ("chain", "contents-hash", lambda b, n, before: sha256(before + squeezed(text_of(b[3])))),
    ("md5-tag", "data-hash",
     lambda b, n, before: hashlib.md5((b[0] + ":" + squeezed(text_of(b[3]))).encode()).hexdigest()),
    ("integrity-utf16", "integrity",
     lambda b, n, before: "sha384-"
     + base64.b64encode(hashlib.sha384(squeezed(text_of(b[3])).encode("utf-16-le")).digest()).decode()),
    ("two-values", "contents-hash",
     lambda b, n, before: sha256(f"{n}\n{b[1]}\n{squeezed(text_of(b[3]))}")),
    ("json-ascii", "contents-hash", lambda b, n, before: sha256(json.dumps(squeezed(text_of(b[3]))))),
    ("letters-sha1", "data-content-hash",
     lambda b, n, before: hashlib.sha1(re.sub(r"\W+", "", text_of(b[3])).encode()).hexdigest()),
    ("emptied-outer", "contents-hash", lambda b, n, before: sha256(outer(b, "contents-hash", ""))),
    ("address-space-text-newline", "contents-hash",
     lambda b, n, before: sha256(squeezed(text_of(b[3])) + "\n" + ADDRESS)),
]


def page(attribute, rule):
    before = ""
    lines = []
    for number, block in enumerate(BLOCKS, 1):
        before = rule(block, number, before)
        lines.append(outer(block, attribute, before))
    body = "\n".join(lines)
    return (
        f'<!doctype html>\n<html lang="ko"><head><meta charset="utf-8"><title>{TITLE}</title></head>\n'
        f'<body><div class="article_view"><section dmcf-sid="{SECTION}">\n{body}\n</section></div></body></html>\n'
    )


for number, (name, attribute, rule) in enumerate(RULES, 1):
    with open(f"{number:02}-{name}.html", "w", encoding="utf-8", newline="\n") as out:
        out.write(page(attribute, rule))
