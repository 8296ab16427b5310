extension Report {
  /// The kernels of each layer, and of the same layer in other models.
  private var kernelsByLayer: [[KernelSlices?]] { layers.map { layer in ([layer] + layer.others).map(\.slices) } }

  /// How many layers have a kernel that is kept in 8 bits.
  var kernelCount: Int { kernelsByLayer.count { $0.contains { $0 != nil } } }

  var kernelBytes: [[[UInt8]]] { kernelsByLayer.map { $0.map { $0?.bytes ?? [] } } }

  /// Keeps of each filter as many slices as all layers have room for; where that is too few to be of use, only the first layers' kernels.
  ///
  /// - Parameter room: bytes of the page; none leaves out all.
  mutating func keepKernels(in room: Int) {
    let all = kernelsByLayer
    let choices = [288, 144, 72]
    let cells = choices.first { cells in all.reduce(0) { $0 + Report.size($1, cells: cells) } <= room }
    var left = room
    for layer in layers.indices {
      let size = Report.size(all[layer], cells: cells ?? choices[2])
      let isKept = size <= left && room > 0
      if isKept { left -= size }
      let kernels = all[layer].map { isKept ? $0?.heaviest(cells: cells ?? choices[2]) : nil }
      layers[layer].slices = kernels[0]
      for other in layers[layer].others.indices { layers[layer].others[other].slices = kernels[other + 1] }
    }
  }

  /// About how many bytes of the page kernels take with so many weights of each filter.
  private static func size(_ kernels: [KernelSlices?], cells: Int) -> Int {
    kernels.reduce(0) { sum, one in
      guard let one else { return sum }
      let kept = min(
        one.kept, KernelSlices.kept(height: one.height, width: one.width, inputs: one.inputs, cells: cells))
      // Bytes take a quarter more in the page, and each filter some for its figures.
      let bytes = kept * (one.height * one.width + (kept < one.inputs ? 2 : 0)) * 5 / 4
      return sum + one.filters * (bytes + 18)
    }
  }
}
