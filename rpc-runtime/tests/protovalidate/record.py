"""Records what protovalidate answers; README.md says how to run it."""

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile

import protovalidate
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2  # registers them
from protovalidate._gen.buf.validate import validate_pb

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = importlib.metadata.version("protovalidate")

with tempfile.TemporaryDirectory() as folder:
    target = os.path.join(folder, "cases.set")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            "-I" + HERE,
            "-I" + sys.argv[1],
            "--include_imports",
            "--descriptor_set_out=" + target,
            "cases.proto",
        ],
        check=True,
    )
    with open(target, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read())

POOL = descriptor_pool.Default()
for file in files.file:
    try:
        POOL.FindFileByName(file.name)
    except KeyError:
        POOL.AddSerializedFile(file.SerializeToString())
Case = message_factory.GetMessageClass(POOL.FindMessageTypeByName("cases.Case"))
V = protovalidate.Validator()

# A message that keeps all rules; each case changes some of its fields.
OK = dict(
    min_len="ab",
    bytes_min=b"ab",
    min_items=[1, 2],
    pairs={"k": 1},
    required="x",
    optional_required="",
    required_items=["a", "b"],
    color=1,
    both="abcde",
    email="a@b.c",
    uuid="00000000-0000-0000-0000-000000000000",
    uri="a:b",
    hostname="a",
    ip="1.1.1.1",
)


def make(**kw):
    d = dict(OK)
    d.update(kw)
    c = Case()
    c.required_inner.SetInParent()
    for k, v in d.items():
        if v is None:
            continue
        f = getattr(c, k)
        if k in ("inner", "member_inner"):
            text_format.Parse(v, f)
        elif k == "inners":
            for t in v:
                text_format.Parse(t, f.add())
        elif k in ("inner_map", "bool_map", "uint_map"):
            for kk, t in v.items():
                text_format.Parse(t, f[kk]) if t else f[kk]
        elif isinstance(v, list):
            f.extend(v)
        elif isinstance(v, dict):
            for kk, t in v.items():
                f[kk] = t
        else:
            setattr(c, k, v)
    return c


cases = [("all rules kept", make())]


def add(n, **kw):
    cases.append((n, make(**kw)))


add("too few characters", min_len="a")
add("characters are not bytes", min_len="é", max_len="äöü")
add("too many characters", max_len="äöüß")
add("pattern", pattern="ABC")
add("bytes too few", bytes_min=b"a")
add("bytes too many", bytes_max=b"abcd")
add("bytes pattern", bytes_pattern=b"AB")
for n, lo, hi in [
    ("i32", -6, 6),
    ("i64", -6, 5),
    ("s32", -6, None),
    ("s64", -5, None),
    ("sf32", -5, 5),
    ("sf64", -5, 6),
]:
    add(f"{n} below", **{n: lo})
    if hi is not None:
        add(f"{n} above", **{n: hi})
for n, hi in [("u32", 6), ("u64", 5), ("f32", 6), ("f64", 5)]:
    add(f"{n} above", **{n: hi})
add("float below", fl=-0.75)
add("float above", fl=1)
add("float nan", fl=float("nan"))
add("double below", db=-2)
add("double above", db=1e22)
add("double nan", db=float("nan"))
for f, bad in [
    ("email", "nobody"),
    ("uuid", "1234"),
    ("uri", "not a uri"),
    ("hostname", "-bad-"),
    ("ip", "1.2.3"),
]:
    add(f"{f} wrong", **{f: bad})
    add(f"{f} empty", **{f: ""})
add("too few items", min_items=[1])
add("no items", min_items=[])
add("too many items", max_items=[1, 2, 3])
add("items too long", items=["ok", "long", "ok", "longer"])
add("no pairs", pairs={})
add("too many pairs", pairs={"a": 1, "b": 2, "c": 3})
add("map value", values={1: "long"})
add("map value negative key", values={-7: "long"})
add("required missing", required="")
add("optional required missing", optional_required=None)
add("optional email set", optional_email="x")
add("optional email empty", optional_email="")
add("inner", inner='label: "long"')
add("inner twice", inner='next { next { label: "long" } }')
add("inners", inners=["", 'label: "long"', 'next { label: "long" }'])
add("string key", inner_map={"key": 'label: "long"'})
add("bool key", bool_map={True: 'label: "long"'})
add("uint key", uint_map={2**63: 'label: "long"'})
add("member", member="long")
add("member inner", member_inner='label: "long"')
add("required list empty", required_items=[])
add("required list short", required_items=["a"])
add("required enum", color=None)
add("two rules of one field", both="AB")
add("several fields", min_len="", max_len="long", i32=9)
add("int map value", int_values={"k": 10})
c = make()
c.ClearField("required_inner")
cases.append(("required message missing", c))


def path(steps):
    return ".".join(
        step.field_name + ("[%r]" % (step.subscript.value,) if step.subscript else "")
        for step in steps.elements
    )


out = [
    "# What protovalidate (PyPI protovalidate %s) answers: name, encoded Case, encoded Violations, and the same to read."
    % VERSION
]
for name, case in cases:
    found = [violation.proto for violation in V.collect_violations(case)]
    encoded = validate_pb.Violations(violations=found).to_binary().hex() or "-"
    text = "; ".join(f"{path(one.field)} {one.rule_id}: {one.message}" for one in found)
    out.append("\t".join([name, case.SerializeToString(deterministic=True).hex() or "-", encoded, text]))
with open(os.path.join(HERE, "violations.tsv"), "w") as file:
    file.write("\n".join(out) + "\n")

S = {}
S["email"] = [
    "a@b",
    "a@b.c",
    "foo@example.com",
    "foo.bar+baz@example.co.uk",
    "!#$%&'*+/=?^_`{|}~-@x",
    "@b",
    "a@",
    "a",
    "a@b@c",
    "a b@c",
    "a@-b",
    "a@b-",
    "a@b..c",
    "a@.b",
    "a@b.",
    " a@b",
    "a@b ",
    "a@b\n",
    "ä@b",
    "a@ä",
    ".a@b",
    "a.@b",
    "a..b@c",
    '"a"@b',
    "a@[1.2.3.4]",
    "a@1.2.3.4",
    "a@" + "b" * 63,
    "a@" + "b" * 64,
    "a" * 100 + "@b",
    "Foo <foo@example.com>",
    "a@b_c",
    "a@b.-c",
    "a\u00a0@b",
    "a@b,c",
]
S["hostname"] = [
    "a",
    "A1",
    "a.b",
    "a.b.",
    "a..b",
    ".a",
    ".",
    "a-b",
    "-a",
    "a-",
    "a.-b",
    "a.b-",
    "1",
    "a.1",
    "1.a",
    "a.1a",
    "127.0.0.1",
    "a_b",
    "ä",
    "a b",
    "a" * 63,
    "a" * 64,
    ".".join(["a" * 49] * 5),
    ".".join(["a" * 50] * 5)[:253],
    ".".join(["a" * 50] * 5)[:254],
    ".".join(["a" * 50] * 5)[:253] + ".",
    "a.b..",
    "xn--bcher-kva.example",
    "a:80",
    "a/b",
    "a\n",
    "*",
    "a.com.",
    "1.2.3.",
    "0x1",
    "a.0x1",
    "-",
    "a.b.c.d.e",
]
S["ip"] = [
    "1.2.3.4",
    "0.0.0.0",
    "255.255.255.255",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.a",
    "1..2.3",
    "1.2.3.",
    "::",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    ":::",
    "1:::2",
    "12345::",
    "g::",
    "FFFF::abcd",
    "::ffff:1.2.3.4",
    "::ffff:1.2.3.4.5",
    "::1.2.3.256",
    "1:2:3:4:5:6:1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::",
    "::1%eth0",
    "::1%",
    "fe80::a%en1",
    "::1%%",
    "::1%\u00e4",
    "::1%a b",
    "::1%a\x00",
    "1.2.3.4%a",
    "[::1]",
    "::1/64",
    "1.2.3.4/8",
    ":1",
    "1:",
    "::01",
    "::00001",
    "::ffff:01.2.3.4",
    "::1.2.3",
    "1:2:3:4:5::1.2.3.4",
    "1::1.2.3.4:5",
    "00.0.0.0",
    "1.2.3.04",
    "::1%25a",
    "%a",
    "::ffff:1.2.3.4%x",
]
S["uuid"] = [
    "00000000-0000-0000-0000-000000000000",
    "12345678-90ab-cdef-ABCD-EF0123456789",
    "12345678-90ab-cdef-ABCD-EF012345678",
    "12345678-90ab-cdef-ABCD-EF01234567890",
    "1234567890abcdefABCDEF0123456789",
    "{12345678-90ab-cdef-ABCD-EF0123456789}",
    "12345678-90ab-cdef-ABCD-EF012345678g",
    "12345678-90ab-cdefA-BCD-EF0123456789",
    "12345678_90ab-cdef-ABCD-EF0123456789",
    "urn:uuid:12345678-90ab-cdef-ABCD-EF0123456789",
    "12345678-90ab-cdef-ABCD-EF0123456789\n",
    " 12345678-90ab-cdef-ABCD-EF0123456789",
]
S["uri"] = [
    "a:",
    "a:b",
    "A:b",
    "1a:b",
    "+a:b",
    "a+-.1:b",
    ":b",
    "a",
    "a/b",
    "//a",
    "/a",
    "https://example.com",
    "https://example.com/",
    "https://example.com:8080/a/b?c=d#e",
    "https://user:pass@example.com/",
    "https://user@:80",
    "http://",
    "http:///a",
    "http://?",
    "http://#",
    "http://a?",
    "http://a#",
    "http://a??",
    "http://a?a#b#c",
    "http://a/%41",
    "http://a/%4",
    "http://a/%",
    "http://a/%zz",
    "http://a%41/",
    "http://a%ff/",
    "http://a%c3%a9/",
    "http://a%c3x/",
    "http://[::1]/",
    "http://[::1]:80/",
    "http://[::1",
    "http://::1/",
    "http://[1.2.3.4]/",
    "http://[::1%25eth0]/",
    "http://[::1%eth0]/",
    "http://[::1%25]/",
    "http://[::1%25%41]/",
    "http://[::1%25%ff]/",
    "http://[::1%25 ]/",
    "http://[v1.a]/",
    "http://[v1a.b:c]/",
    "http://[v.a]/",
    "http://[v1.]/",
    "http://[v1]/",
    "http://[V1.x]/",
    "http://a:/",
    "http://a:99999/",
    "http://a:8a/",
    "http://a:-1",
    "http://a b/",
    "http://a/b c",
    "http://a/ä",
    "http://ä/",
    "http://a/<",
    "http://a/>",
    'http://a/"',
    "http://a/\\",
    "http://a/^",
    "http://a/`",
    "http://a/{",
    "http://a/|",
    "http://a/[",
    "http://a/]",
    "http://a/!$&'()*+,;=:@-._~",
    "http://a?/?:@",
    "http://a#/?:@",
    "http://a?[",
    "http://a#[",
    "mailto:a@b.c",
    "urn:isbn:123",
    "a://b//c",
    "a:/b//c",
    "a://",
    "a:///",
    "a:b//c",
    "a:?q",
    "a:#f",
    "a:b?q#f",
    "http://a@b@c",
    "http://a:b:c@d",
    "http://a@",
    "http://u%41@b",
    "http://u%4@b",
    "http://u/@b",
    "http://u[@b",
    " http://a",
    "http://a ",
    "http://a\n",
    "\thttp://a",
    "a%41:b",
    "é:b",
    "a_b:c",
    "http://1.2.3.4",
    "http://1.2.3.4.5",
    "http://256.1.1.1",
    "http://a..b",
    "http://.",
    "http://-",
    "http://_",
    "http://a:80:80",
    "http://[::1]a/",
    "http://[::1]:a",
    "http://a[::1]",
    "file:///etc/passwd",
    "data:text/plain,hi",
    "http://a/b/../c",
    "javascript:alert(1)",
    "http://a?%",
    "http://a#%",
    "http://a?%41",
    "http://a#%41",
    "x:\x7f",
    "x:\x00",
    "http://[]",
    "http://[::1%25a%25b]",
    "http://%",
    "http://a%2",
    "http://a%00",
]

out = [
    "# What protovalidate %s says of a string: format, UTF-8 bytes, whether it has the form, the string."
    % VERSION
]
for format, texts in S.items():
    for text in texts:
        case = Case(**{format: text})
        bad = [one for one in V.collect_violations(case) if one.proto.field.elements[0].field_name == format]
        out.append("\t".join([format, text.encode().hex(), "no" if bad else "yes", json.dumps(text)]))
with open(os.path.join(HERE, "formats.tsv"), "w") as file:
    file.write("\n".join(out) + "\n")
