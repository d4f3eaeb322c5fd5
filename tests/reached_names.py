#!/usr/bin/env python3
"""tests/reached_names.py ROOT: a file includes, itself or through what it includes, the header of what it names.

CI compiles many sources in one, where an earlier one brings what a later one lacks; everybody's own build then fails. This
check reads the text: types that a header under ROOT defines, each name once (one_name.cmake), functions that one declares,
and #include lines. Words in comments, strings and names of tests do not count, nor names that a file declares itself or
qualifies with another namespace, nor those that a type somewhere has for a member.
Fails too if it found nothing to check.
"""

import functools
import pathlib
import re
import sys

FOLDERS = ("memory", "data", "features", "head", "pipeline", "tests", "benchmarks")
TYPE = re.compile(r"^(?:struct|class|enum class) ([A-Za-z0-9_]+)[^;]*\{", re.MULTILINE)
DECLARED = re.compile(r"\b(?:struct|class|enum class|enum|using|typename) ([A-Za-z0-9_]+)")
FORWARD = re.compile(r"^(?:struct|class) ([A-Za-z0-9_]+);", re.MULTILINE)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
NESTED = re.compile(r"^ +(?:struct|class|enum class|using) ([A-Za-z0-9_]+)", re.MULTILINE)
FUNCTION = re.compile(r"^(?:\[\[nodiscard\]\] )?(?:(?:inline|constexpr|static) )*[A-Za-z][\w:<>,&* ]*[ &*>]([a-z]\w*)\(", re.MULTILINE)
MEMBER = re.compile(r"^ +(?:\[\[nodiscard\]\] )?(?!return|throw|else|co_)[A-Za-z][\w:<>,&* ]*[ &*>]([a-z]\w*)(?:\(|\{|;| =)",
                    re.MULTILINE)
CALLED = re.compile(r"(?<![.>:\w])(?:headstart::)?([a-z]\w*_\w*)(?=\()")  # of one word are also POSIX's and parameters
NOISE = re.compile(r'TEST\w*\([^{]*?\)|//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"', re.DOTALL)
WORD = re.compile(r"(?<![.>:\w])(?:headstart::)?([A-Z][A-Za-z0-9]+)\b(?!\s*\()|(?<![.>:\w])([A-Z][A-Za-z0-9]+)(?=\()")


def main(root):
    files = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for folder in FOLDERS
             for suffix in ("hpp", "cpp") for path in (root / folder).rglob(f"*.{suffix}")}
    places, functions = {}, {}
    for name, text in files.items():
        if name.endswith(".hpp") and not name.startswith(("tests/", "benchmarks/")):
            places.update({defined: name for defined in TYPE.findall(text)})

    for name, text in files.items():
        for declared in FUNCTION.findall(NOISE.sub(" ", INCLUDE.sub("", text))) if name.endswith(".hpp") else ():
            functions.setdefault(declared, set()).add(name)
    functions.pop("to_string", None)  # templates call that of a type which only their callers know
    for text in files.values():  # a member type of that name may be meant
        for nested in NESTED.findall(text):
            places.pop(nested, None)

    @functools.cache
    def reached(name):
        """The file and all that it includes."""
        seen, next_ones = {name}, [name]
        while next_ones:
            for included in INCLUDE.findall(files.get(next_ones.pop(), "")):
                if included not in seen:
                    seen.add(included)
                    next_ones.append(included)
        return seen

    @functools.cache
    def members(name):
        """Members, parameters and variables."""
        return set(MEMBER.findall(NOISE.sub(" ", files.get(name, ""))))

    wrong = []
    for name, text in sorted(files.items()):
        code = NOISE.sub(" ", INCLUDE.sub("", text))
        own = set(DECLARED.findall(code)).union(*(FORWARD.findall(files.get(one, "")) for one in reached(name)))
        for first, second in set(WORD.findall(code)):
            word = first or second
            if word in places and word not in own and places[word] not in reached(name):
                wrong.append(f"{name} names {word} and does not include {places[word]}")
        own = set(FUNCTION.findall(code)).union(*(members(one) for one in reached(name)))
        for called in set(CALLED.findall(code)) - own:
            if called in functions and not functions[called] & reached(name):
                wrong.append(f"{name} calls {called}() and does not include {', '.join(sorted(functions[called]))}")
    print("\n".join(wrong) if wrong else f"{len(places)} types and {len(functions)} functions in {len(files)} files")
    return 1 if wrong or not places or not functions else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
