import CKernels
import Glibc
import H5ConvDiagnostics
import H5ConvLayers
package import H5ConvTensors

extension PlanStep {
  /// Mean or maximum over all spatial axes of an image tensor.
  func reduce(_ input: Tensor, _ reduction: Reduction, _ axes: [Int], _ threads: Threads) throws -> Tensor {
    let last = input.shape.count - 1
    guard last >= 1, axes == Array(1..<last), Tensor.elementCount(of: Array(input.shape[1...])) != nil else {
      throw H5ConvError(.internalFault, "a reduction of \(input.shape) over \(axes)")
    }
    let (images, pixels, channels) = (input.shape[0], input.shape[1..<last].reduce(1, *), input.shape[last])
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        // Few images are shared by their channels, too.
        let parts = images >= 2 * threads.count ? 1 : max(1, min(2 * threads.count, channels / 64))
        threads.forEach(images * parts) { item in
          let (image, part) = item.quotientAndRemainder(dividingBy: parts)
          let range = part * channels / parts..<(part + 1) * channels / parts
          let row = target + image * channels + range.lowerBound
          let start = source + image * pixels * channels + range.lowerBound
          row.update(repeating: reduction == .maximum ? -.infinity : 0, count: range.count)
          for pixel in 0..<pixels {
            PlanStep.loops.binary(
              row, row, start + pixel * channels, range.count, 1, 1, reduction == .maximum ? H5K_MAXIMUM : H5K_ADD)
          }
          if reduction == .mean {
            for channel in 0..<range.count { row[channel] /= Float(pixels) }
          }
        }
      }
    }
  }

  /// Mean or maximum of each of `sections` of `axis`.
  func reduceSections(
    _ input: Tensor, _ reduction: Reduction, _ axis: Int, _ sections: [Range<Int>], _ threads: Threads
  ) throws -> Tensor {
    let length = input.shape[axis]
    guard let outer = Tensor.elementCount(of: Array(input.shape[..<axis])),
      let inner = Tensor.elementCount(of: Array(input.shape[(axis + 1)...])), sections.count == output.shape[axis],
      sections.allSatisfy({ !$0.isEmpty && (0...length).contains($0.lowerBound) && $0.upperBound <= length })
    else { throw H5ConvError(.internalFault, "sections of \(input.shape) along axis \(axis)") }
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress, inner > 0 else { return }
      input.withBase { source in
        threads.forEach(outer * sections.count) { number in
          let (place, section) = number.quotientAndRemainder(dividingBy: sections.count)
          let row = target + number * inner
          let start = source + place * length * inner
          row.update(from: start + sections[section].lowerBound * inner, count: inner)
          for cell in sections[section].dropFirst() {
            PlanStep.loops.binary(
              row, row, start + cell * inner, inner, 1, 1, reduction == .maximum ? H5K_MAXIMUM : H5K_ADD)
          }
          if reduction == .mean {
            for x in 0..<inner { row[x] /= Float(sections[section].count) }
          }
        }
      }
    }
  }

  /// Softmax over `axes` together.
  func softmax(_ input: Tensor, _ axes: [Int], _ threads: Threads) throws -> Tensor {
    try alongLast(input, axes, threads) { target, source, rows, count in
      PlanStep.loops.softmax(target, source, rows, count)
    }
  }

  func logSoftmax(_ input: Tensor, _ axis: Int, _ threads: Threads) throws -> Tensor {
    try alongLast(input, [axis], threads) { target, source, rows, count in
      for row in 0..<rows {
        let values = UnsafeBufferPointer(start: source + row * count, count: count)
        let largest = values.max() ?? 0
        let sum = values.reduce(0.0) { $0 + exp(Double($1 - largest)) }
        let shift = largest + Float(log(sum))
        for place in 0..<count { target[row * count + place] = values[place] - shift }
      }
    }
  }

  /// `keras.activations.sparsemax` over the last axis: with z sorted descending and r counting from 1, the support is where
  /// z_r − (z_1 + … + z_r − 1)/r > 0; τ = (the sum of the *cumulative* sums over the support − 1)/its size; max(x − τ, 0).
  ///
  /// Keras sums the cumulative sums where Martins and Astudillo (2016) sum the z: its rows need not sum to 1.
  func sparsemax(_ input: Tensor, _ threads: Threads) throws -> Tensor {
    try alongLast(input, [input.shape.count - 1], threads) { target, source, rows, count in
      for row in 0..<rows {
        let values = UnsafeBufferPointer(start: source + row * count, count: count)
        var (cumulative, total): (Float, Float) = (0, 0)
        var size = 0
        for (place, value) in values.sorted(by: >).enumerated() {
          cumulative += value
          if value - (cumulative - 1) / Float(place + 1) > 0 {
            size += 1
            total += cumulative
          }
        }
        let threshold = (total - 1) / Float(size)
        for place in 0..<count { target[row * count + place] = max(values[place] - threshold, 0) }
      }
    }
  }

  /// Moves `axes` to the end, lets `body` compute each row of them, and moves them back.
  func alongLast(
    _ input: Tensor, _ axes: [Int], _ threads: Threads,
    _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, _ rows: Int, _ count: Int) -> Void
  ) throws -> Tensor {
    let rank = input.shape.count
    let order = (0..<rank).filter { !axes.contains($0) } + axes
    let moved = try input.transposed(order, threads)
    let count = axes.reduce(1) { $0 * input.shape[$1] }
    let result = try Tensor(shape: moved.shape) { target in
      guard let target = target.baseAddress, count > 0 else { return }
      moved.withBase { source in
        threads.forEachRange(moved.count / count, least: max(1, (1 << 12) / count)) { rows in
          body(target + rows.lowerBound * count, source + rows.lowerBound * count, rows.count, count)
        }
      }
    }
    return try result.transposed((0..<rank).map { axis in order.firstIndex(of: axis) ?? axis }, threads)
  }

  func concatenate(_ inputs: [Tensor], _ axis: Int) throws -> Tensor {
    let shape = output.shape
    let outer = shape[..<axis].reduce(1, *)
    let row = shape[axis...].reduce(1, *)
    return try Tensor(shape: shape) { target in
      guard let target = target.baseAddress else { return }
      var offset = 0
      for input in inputs {
        let part = input.shape[axis...].reduce(1, *)
        input.withBase { source in
          for place in 0..<outer { (target + place * row + offset).update(from: source + place * part, count: part) }
        }
        offset += part
      }
    }
  }

  func pad(_ input: Tensor, _ before: [Int], _ value: Float) throws -> Tensor {
    try Tensor(shape: output.shape) { target in
      target.update(repeating: value)
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        copy(source, input.shape, from: before.map { _ in 0 }, to: target, output.shape, at: before, sizes: input.shape)
      }
    }
  }

  func slice(_ input: Tensor, _ start: [Int]) throws -> Tensor {
    try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        copy(source, input.shape, from: start, to: target, output.shape, at: start.map { _ in 0 }, sizes: output.shape)
      }
    }
  }

  /// Copies a block of `sizes` from one array into another.
  private func copy(
    _ source: UnsafePointer<Float>, _ sourceShape: [Int], from: [Int], to target: UnsafeMutablePointer<Float>,
    _ targetShape: [Int], at: [Int], sizes: [Int]
  ) {
    guard let length = sizes.last, !sizes.contains(0) else { return }
    var place = Array(repeating: 0, count: sizes.count)
    for _ in 0..<sizes.dropLast().reduce(1, *) {
      var (read, write) = (0, 0)
      for axis in sizes.indices {
        read = read * sourceShape[axis] + from[axis] + place[axis]
        write = write * targetShape[axis] + at[axis] + place[axis]
      }
      (target + write).update(from: source + read, count: length)
      for axis in sizes.indices.dropLast().reversed() {
        place[axis] += 1
        if place[axis] < sizes[axis] { break }
        place[axis] = 0
      }
    }
  }

  func repeatElements(_ input: Tensor, _ times: [Int]) throws -> Tensor {
    try PlanStep.repeated(input, times: times, shape: output.shape)
  }

  /// Each element repeated `times[axis]` times along each axis.
  static func repeated(_ input: Tensor, times: [Int], shape: [Int]) throws -> Tensor {
    try Tensor(shape: shape) { target in
      guard let target = target.baseAddress, !shape.contains(0) else { return }
      input.withBase { source in
        let last = shape.count - 1
        var place = Array(repeating: 0, count: shape.count)
        for row in 0..<shape.dropLast().reduce(1, *) {
          var read = 0
          for axis in shape.indices.dropLast() { read = read * input.shape[axis] + place[axis] / times[axis] }
          let from = source + read * input.shape[last]
          let to = target + row * shape[last]
          if times[last] == 1 {
            to.update(from: from, count: shape[last])
          } else {
            for x in 0..<shape[last] { to[x] = from[x / times[last]] }
          }
          for axis in shape.indices.dropLast().reversed() {
            place[axis] += 1
            if place[axis] < shape[axis] { break }
            place[axis] = 0
          }
        }
      }
    }
  }
}

extension Tensor {
  /// The tensor with axis i of the result being axis `order[i]` of this one.
  package func transposed(_ order: [Int], _ threads: Threads = Threads(1)) throws -> Tensor {
    if order == Array(order.indices) { return self }
    let target = order.map { shape[$0] }
    // Axes that stay together are moved as one.
    var groups: [[Int]] = []
    for axis in order where shape[axis] != 1 {
      if let last = groups.last?.last, last < axis, shape[(last + 1)..<axis].allSatisfy({ $0 == 1 }) {
        groups[groups.count - 1].append(axis)
      } else {
        groups.append([axis])
      }
    }
    if groups.count < 2 { return try reshaped(to: target) }
    let sizes = groups.map { $0.reduce(1) { $0 * shape[$1] } }
    let steps = groups.map { group in group.last.map { shape[($0 + 1)...].reduce(1, *) } ?? 1 }
    // A batch of matrices, rows and columns exchanged: images between channels_last and channels_first.
    if groups.count == 3, steps[0] == sizes[1] * sizes[2], steps[1] == 1, steps[2] == sizes[1] {
      return try Tensor(shape: target) { target in
        guard let target = target.baseAddress else { return }
        withBase { source in
          threads.forEach(sizes[0]) { matrix in
            h5k_transpose(target + matrix * steps[0], source + matrix * steps[0], sizes[2], sizes[1])
          }
        }
      }
    }
    return try Tensor(shape: target) { target in
      guard let target = target.baseAddress, count > 0 else { return }
      withBase { source in
        var place = Array(repeating: 0, count: sizes.count)
        let length = sizes[sizes.count - 1]
        let step = steps[steps.count - 1]
        for row in 0..<count / length {
          let from = source + zip(place, steps).reduce(0) { $0 + $1.0 * $1.1 }
          let to = target + row * length
          for x in 0..<length { to[x] = from[x * step] }
          for axis in sizes.indices.dropLast().reversed() {
            place[axis] += 1
            if place[axis] < sizes[axis] { break }
            place[axis] = 0
          }
        }
      }
    }
  }
}
