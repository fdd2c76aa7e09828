"""Writes sources of libraries that libmesos wants to be there: shims.py LIBRARY FOLDER.

The names and versions of the symbols are read from the library itself. All of
them stop the program, which would otherwise go on with garbage, except the few
digests that Mesos uses without TLS: those go to Debian's libcrypto.
"""
import re
import subprocess
import sys

library, folder = sys.argv[1:]
DIGESTS = {"HMAC", "EVP_sha1", "EVP_sha256", "SHA256", "RAND_poll"}
names = subprocess.run(["nm", "-D", "--undefined-only", library], check=True, capture_output=True, text=True).stdout
names = [line.split()[1] for line in names.splitlines()]

HEAD = """#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
static void stop(const char *name) { fprintf(stderr, "%s is not available to this Mesos\\n", name); abort(); }
"""
FORWARD = """void *{0}(long a, long b, long c, long d, long e, long f) {{
  static void *(*real)(long, long, long, long, long, long);
  if (!real) {{
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    real = library ? dlsym(library, "{0}") : 0;
  }}
  if (!real) stop("{0}");
  return real(a, b, c, d, e, f);
}}
"""
STOP = 'void *{0}(void) {{ stop("{0}"); return 0; }}\n'


def openssl(part, versions):
    """One library with symbol versions, each following the one before it."""
    source, versions_map, before = HEAD, "", ""
    for version in sorted(versions):
        anchor = f"anchor_{part}_" + version.replace(".", "_")  # a version must hold something
        source += f"int {anchor};\n"
        for name in versions[version]:
            source += (FORWARD if name in DIGESTS else STOP).format(name)
        exported = "".join(f" {name};" for name in [anchor, *versions[version]])
        versions_map += f"{version} {{ global:{exported}{'' if before else ' local: *;'} }} {before};\n"
        before = version
    write(f"{part}.c", source)
    write(f"{part}.map", versions_map)


def write(name, text):
    with open(f"{folder}/{name}", "w") as file:
        file.write(text)


# Each of both is asked for all versions, whatever it holds.
parts = {part: {f"OPENSSL_1.0.{n}": [] for n in range(3)} for part in ("crypto", "ssl")}
for name, version in (n.split("@") for n in names if "@OPENSSL_" in n):
    parts["ssl" if re.match("SSL|TLS", name) else "crypto"][version].append(name)
for part, versions in parts.items():
    openssl(part, versions)

python = [n for n in names if re.match("_?Py", n)]
data = [n for n in python if n.startswith("PyExc") or n == "_Py_NoneStruct"]
write("python.c", HEAD + "".join(f"long {n}[16];\n" if n in data else STOP.format(n) for n in python))
