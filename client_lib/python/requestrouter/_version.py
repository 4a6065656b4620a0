"""The version, which is that of the library it is built with."""

__version__ = "0.1.0"
