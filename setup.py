"""All that pyproject.toml cannot say: an editable installation brings its data files along too."""

from setuptools import Distribution, setup


class WithData(Distribution):
    """setuptools asks `has_data` before it installs data files of an editable package, and has no such method."""

    has_data = Distribution.has_data_files


setup(distclass=WithData)
