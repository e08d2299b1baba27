# Stands in for ShinkaEvolve's package, which need not be installed to run its tasks. Where it is installed, everything
# that is not here comes from there; its own start would import every model client first.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)
