"""The client library as an installed tree: what is in it, and programs that are built against it."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

from support import EndToEnd

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["REQUESTROUTER_BUILD"])

C_PROGRAM = r"""
#include <requestrouter/requestrouter.h>
#include <stdio.h>

int main(void) {
  rr_client *client = rr_client_new(NULL);
  rr_call *call = rr_call_start(client, "chat", "{\"prompt\":\"Hello\"}", NULL);
  const char *json;
  rr_status status = rr_call_next(call, -1, &json);
  printf("%s\n", json);
  rr_call_free(call);
  rr_client_free(client);
  return status == RR_REPLY ? 0 : 1;
}
"""
C_DIRECT = r"""
#include <requestrouter/requestrouter_direct.h>
#include <stdio.h>

int main(void) {
  rr_client *router = rr_client_new(NULL);
  rr_direct *direct = rr_direct_new(NULL, "gemini");
  char *json;
  int failed = rr_fallback_chat(router, direct, "{\"prompt\":\"Hello\"}", 60000, NULL, NULL, &json);
  printf("%s\n", json);
  rr_direct_text_free(json);
  rr_direct_free(direct);
  rr_client_free(router);
  return failed;
}
"""
CPP_PROGRAM = r"""
#include <requestrouter/client.h>
#include <iostream>

int main() {
  requestrouter::Client client;
  requestrouter::ChatRequest request;
  request.prompt = "Hello";
  const auto reply = client.Chat(request);
  std::cout << (reply ? reply->content : reply.error().message) << "\n";
  return reply ? 0 : 1;
}
"""
CPP_DIRECT = CPP_PROGRAM.replace("requestrouter/client.h", "requestrouter/direct.h").replace(
    "requestrouter::Client client", "requestrouter::FallbackClient client")
CMAKE = """
cmake_minimum_required(VERSION 3.20)
project(consumer CXX)
find_package(requestrouter 0.1 REQUIRED)
add_executable(cpp main.cc)
target_link_libraries(cpp PRIVATE requestrouter::requestrouter)
add_executable(direct direct.cc)
target_link_libraries(direct PRIVATE requestrouter::direct)
"""


def output(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=170,
                          **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def cache(name):
    text = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}:\w+=(.*)$", text, re.M).group(1)


class Installed(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.tree = tempfile.TemporaryDirectory(prefix="rr-install-")
        cls.addClassCleanup(cls.tree.cleanup)
        cls.prefix = pathlib.Path(cls.tree.name) / "prefix"
        for component in ("library", "direct", "dev"):
            output("cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", component)
        cls.lib = cls.prefix / cache("CMAKE_INSTALL_LIBDIR")
        cls.library = cls.lib / "librequestrouter.so.1"

    def setUp(self):
        super().setUp()
        self.work = pathlib.Path(self.folder.name)
        self.environment = {**os.environ, "LD_LIBRARY_PATH": str(self.lib),
                            "PKG_CONFIG_PATH": str(self.lib / "pkgconfig"),
                            "ROUTERD_GEMINI_BASE_URL": self.sim.url, "GEMINI_API_KEY": "s1",
                            "REQUESTROUTER_ENDPOINT": f"ipc://{self.work}/router.sock"}

    def compile(self, compiler, name, text, package):
        """By pkg-config, with nothing but the installed tree."""
        source = self.work / name
        source.write_text(text)
        flags = output("pkg-config", "--cflags", "--libs", package, env=self.environment).split()
        program = source.with_suffix("")
        output(*compiler, source, "-o", program, *flags, env=self.environment)
        return program

    def test_programs_in_c_and_cpp_are_built_by_pkg_config_and_answered(self):
        c = self.compile(["gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"],
                         "c_program.c", C_PROGRAM, "requestrouter")
        direct = self.compile(["gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"],
                              "c_direct.c", C_DIRECT, "requestrouter_direct")
        cpp = self.compile(["g++", "-std=c++20", "-Wall", "-Wextra", "-Werror"], "cpp_program.cc",
                           CPP_PROGRAM, "requestrouter")
        without = subprocess.run([c], env=self.environment, text=True, capture_output=True,
                                 check=False, timeout=60)
        self.assertEqual(without.returncode, 1)
        self.assertIn('"type":"no_daemon"', without.stdout)
        self.assertIn('"key_id":"direct"', output(direct, env=self.environment))
        self.daemon()
        self.assertIn("this is turn 1", output(c, env=self.environment))
        self.assertIn("this is turn 1", output(cpp, env=self.environment))
        self.assertIn('"key_id":"k', output(direct, env=self.environment))

    def test_cmake_finds_the_package(self):
        (self.work / "CMakeLists.txt").write_text(CMAKE)
        (self.work / "main.cc").write_text(CPP_PROGRAM)
        (self.work / "direct.cc").write_text(CPP_DIRECT)
        build = self.work / "build"
        output("cmake", "-S", self.work, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
               "-DCMAKE_CXX_STANDARD=20", env=self.environment)
        output("cmake", "--build", build, env=self.environment)
        self.assertIn("this is turn 1", output(build / "direct", env=self.environment))
        self.daemon()
        self.assertIn("this is turn 1", output(build / "cpp", env=self.environment))

    def test_names_and_symbols_are_versioned_and_nothing_else_is_shown(self):
        for name, node in (("requestrouter", "REQUESTROUTER_1"),
                           ("requestrouter_direct", "REQUESTROUTER_DIRECT_1")):
            library = self.lib / f"lib{name}.so.1"
            self.assertIn(f"Library soname: [lib{name}.so.1]", output("readelf", "-d", library))
            shown = [line.split() for line in output("nm", "-D", "--defined-only", "-C",
                                                     library).splitlines()]
            functions = [words[2] for words in shown if words[1] == "T"]
            self.assertGreater(len(functions), 4)
            for function in functions:
                self.assertRegex(function, rf"^(rr_|requestrouter::).*@@{node}|"
                                 r"^requestrouter::.*|^rr_")
            in_c = [function for function in functions if function.startswith("rr_")]
            for function in in_c:
                self.assertIn(f"@@{node}", function)

    def test_the_client_proper_needs_no_http_library(self):
        needed = output("readelf", "-d", self.library)
        self.assertNotIn("curl", needed)
        self.assertIn("libzmq", needed)
        self.assertIn("curl", output("readelf", "-d", self.lib / "librequestrouter_direct.so.1"))

    def test_public_headers_include_the_standard_library_and_each_other_only(self):
        headers = list((self.prefix / "include/requestrouter").glob("*.h"))
        self.assertGreaterEqual(len(headers), 7)
        for header in headers:
            for include in re.findall(r'#include [<"](.*)[>"]', header.read_text()):
                self.assertRegex(include, r"^(requestrouter/\w+\.h|[a-z_]+|std(int|def)\.h)$",
                                 header.name)

    def test_pip_installs_the_module_from_the_tree(self):
        if subprocess.run([sys.executable, "-c", "import setuptools, wheel, pip, venv"],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("needs Debian's python3-pip, python3-venv, python3-setuptools and -wheel")
        output(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip",
               self.work / "venv")
        python = self.work / "venv/bin/python"
        # Built from a copy: setuptools leaves its traces beside the sources.
        tree = self.work / "python"
        output("cp", "-r", SOURCE / "client_lib/python", tree)
        output(python, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet",
               "--wheel-dir", self.work, tree)
        (wheel,) = self.work.glob("requestrouter-*-py3-none-any.whl")
        names = {name for name in zipfile.ZipFile(wheel).namelist() if "dist-info" not in name}
        sources = {f"requestrouter/{path.name}"
                   for path in (SOURCE / "client_lib/python/requestrouter").glob("*.py")}
        self.assertEqual(names, sources | {"requestrouter/py.typed"})
        output(python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", wheel)
        self.daemon()
        environment = {**self.environment, "PYTHONPATH": "", "REQUESTROUTER_LIBRARY": ""}
        said = output(python, "-c", "import requestrouter as r; print(r.__file__);"
                      "print(r.get_request_router().send_chat(None, 'Hello')['content'])",
                      env=environment, cwd="/").splitlines()
        self.assertTrue(said[0].startswith(str(self.work / "venv")), said)
        self.assertIn("this is turn 1", said[1])

    def test_the_library_is_found_beside_the_module_too(self):
        module = self.work / "requestrouter"
        output("cp", "-r", SOURCE / "client_lib/python/requestrouter", module)
        output("cp", self.library, module / "librequestrouter.so.1")
        self.daemon()
        environment = {**self.environment, "LD_LIBRARY_PATH": "", "PYTHONPATH": str(self.work)}
        environment.pop("REQUESTROUTER_LIBRARY")
        said = output(sys.executable, "-B", "-c", "import requestrouter as r;"
                      "print(r.RequestRouter().send_chat(None, 'Hello')['content'])",
                      env=environment)
        self.assertIn("this is turn 1", said)


if __name__ == "__main__":
    unittest.main()
