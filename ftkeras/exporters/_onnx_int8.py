"""Write matrix products of 8-bit integers into an ONNX graph."""

from typing import Any

import numpy as np

from ftkeras.exporters._int8 import quantize
from ftkeras.exporters._onnx_graph import Graph

# Kernels use 7 of the 8 bits: processors without VNNI add two products of 8 bits in 16 bits, which
# overflows with larger numbers. The error comes from rounding the states, not the kernels.
# Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
LARGEST = 64


class Int8Graph(Graph):
    """A graph that stores matrices as 8-bit integers, and multiplies 8-bit integers.

    A product of states x with a kernel W is computed as

        x W ~ s t' (p - z) q,    p = round(x / s) + z in 0 to 255,    W ~ t' q

    where the scale s and the zero z are those of the range of all of x, found in each call
    (`DynamicQuantizeLinear`), and q and t are the kernel's integers and its scale for each output
    (`quantize`). Sums are 32-bit integers. Tables of embeddings have a scale for each row. All else
    is computed in float32. ONNX Runtime runs the nodes of a product as one.
    """

    def project(self, x: str, kernel: Any, bias: Any) -> str:
        """Add x · kernel + bias, with 8-bit integers; the bias may be None."""
        integers, scales = quantize(np.asarray(kernel), by_row=False, largest=LARGEST)
        rounded, scale, zero = self.split("DynamicQuantizeLinear", 3, x)
        weights = self.constant(integers, np.int8), zero, self.constant(0, np.int8)
        sums = self.add("Cast", self.add("MatMulInteger", rounded, *weights), to=1)  # FLOAT
        product = self.add("Mul", sums, self.add("Mul", scale, self.constant(scales[0])))
        return product if bias is None else self.add("Add", product, self.constant(bias))

    def look_up(self, table: Any, ids: str) -> str:
        """Add the rows of a table stored as 8-bit integers, float32 [*ids, columns]."""
        integers, scales = quantize(np.asarray(table), by_row=True)
        rows = self.add("Gather", self.constant(integers, np.int8), ids, axis=0)
        scale = self.add("Gather", self.constant(scales), ids, axis=0)
        return self.add("Mul", self.add("Cast", rows, to=1), scale)  # FLOAT
