# Stands in for OpenEvolve's package, which need not be installed to run its tasks. Where it is installed, everything
# that is not here comes from there.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)
