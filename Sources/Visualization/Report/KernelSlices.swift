package import H5ConvTensors

/// The kernels of a layer's filters in 8 bits, slice by slice: what a filter does with each of its inputs.
///
/// A filter of a deep layer has a slice for each of hundreds of inputs; the heaviest of them are kept then, by the sums of their squares.
package struct KernelSlices: Sendable {
  /// Rows and columns of a slice.
  package let height: Int
  package let width: Int
  /// Slices that a filter has.
  package let inputs: Int
  package let filters: Int
  /// Slices that are kept of each filter.
  package let kept: Int
  /// Groups of equal size that the filters and their inputs are divided into.
  package let groups: Int
  /// Largest magnitude of each filter's weights.
  package let largest: [Float]
  /// What part of each filter's squared weights the kept slices have.
  package let shares: [Float]
  /// Weights, and behind them numbers of inputs.
  ///
  /// For each filter, slice, row and column 128 + round(127 weight / largest), and 0 for what is no finite number. Behind them, when
  /// not all slices are kept, the number of each slice's input: two bytes, the low one first.
  package let bytes: [UInt8]

  /// How many slices are kept where each filter may have `cells` weights.
  package static func kept(height: Int, width: Int, inputs: Int, cells: Int) -> Int {
    min(inputs, max(1, cells / max(1, height * width)))
  }

  /// Bytes that it takes to keep so many of them.
  package static func size(height: Int, width: Int, inputs: Int, filters: Int, cells: Int) -> Int {
    let kept = kept(height: height, width: width, inputs: inputs, cells: cells)
    return filters * kept * (height * width + (kept < inputs ? 2 : 0))
  }

  /// - Parameters:
  ///   - kernel: (height, width, inputs, filters).
  ///   - groups: how many groups the filters are divided into.
  ///   - cells: about how many weights of each filter to keep.
  /// - Returns: nil for a kernel of another rank, without weights, or with more inputs than 65,535.
  package init?(_ kernel: Tensor, groups: Int, cells: Int) {
    let shape = kernel.shape
    guard shape.count == 4, kernel.count > 0, shape[2] <= 65_535, groups > 0, shape[3] % groups == 0 else { return nil }
    (height, width, inputs, filters, self.groups) = (shape[0], shape[1], shape[2], shape[3], groups)
    kept = KernelSlices.kept(height: height, width: width, inputs: inputs, cells: cells)
    let (area, inputs, filters, kept) = (height * width, inputs, filters, kept)
    (largest, shares, bytes) = kernel.withUnsafeElements { weights in
      let (largest, squares) = KernelSlices.weigh(weights, area: area, inputs: inputs, filters: filters)
      var (numbers, shares) = ([UInt8](), [Float]())
      let slices = [UInt8](unsafeUninitializedCapacity: filters * kept * area) { bytes, count in
        for filter in 0..<filters {
          let own = squares[filter * inputs..<(filter + 1) * inputs]
          let chosen = KernelSlices.heaviest(kept, of: own)
          let scale = largest[filter] > 0 ? 127 / largest[filter] : 0
          for input in chosen {
            for place in 0..<area {
              bytes[count] = KernelSlices.byte(weights[(place * inputs + input) * filters + filter], scale)
              count += 1
            }
            if kept < inputs { numbers += [UInt8(input & 255), UInt8(input >> 8)] }
          }
          let all = own.reduce(0, +)
          shares.append(all > 0 ? min(1, chosen.reduce(0) { $0 + own[own.startIndex + $1] } / all) : 1)
        }
      }
      return (largest, shares, slices + numbers)
    }
  }

  /// 128 + round(scale · weight), halves away from 0; 0 for what is no finite number.
  private static func byte(_ weight: Float, _ scale: Float) -> UInt8 {
    guard weight.isFinite else { return 0 }
    let x = min(max(weight * scale, -127), 127)
    // In float64, where adding a half rounds nothing.
    return x < 0 ? 128 - truncatedByte(0.5 - Double(x)) : truncatedByte(128.5 + Double(x))
  }

  /// The largest magnitude of each filter, and of each of its slices, (filters, inputs), the sum of squares; of finite weights.
  private static func weigh(
    _ weights: UnsafeBufferPointer<Float>, area: Int, inputs: Int, filters: Int
  ) -> (largest: [Float], squares: [Float]) {
    var (largest, squares) = ([Float](repeating: 0, count: filters), [Float](repeating: 0, count: inputs * filters))
    largest.withUnsafeMutableBufferPointer { largest in
      squares.withUnsafeMutableBufferPointer { squares in
        for place in 0..<area {
          let plane = UnsafeBufferPointer(rebasing: weights[place * squares.count..<(place + 1) * squares.count])
          for input in 0..<inputs {
            for filter in 0..<filters {
              let magnitude = abs(plane[input * filters + filter])
              let known = magnitude < .infinity ? magnitude : 0
              squares[input * filters + filter] += known * known
              largest[filter] = known > largest[filter] ? known : largest[filter]
            }
          }
        }
      }
    }
    return (largest, squares.withUnsafeBufferPointer { transposed($0, rows: inputs, columns: filters) })
  }

  /// The places of the greatest weights, greatest first; all in their order when all are wanted.
  private static func heaviest(_ wanted: Int, of weights: ArraySlice<Float>) -> [Int] {
    guard wanted < weights.count else { return Array(0..<weights.count) }
    var best: [(number: Int, weight: Float)] = []
    best.reserveCapacity(wanted)
    for (number, weight) in weights.enumerated() {
      if best.count == wanted {
        guard weight > best[wanted - 1].weight else { continue }
        best.removeLast()
      }
      best.insert((number, weight), at: best.firstIndex { $0.weight < weight } ?? best.count)
    }
    return best.map(\.number)
  }

  /// The slices that are heaviest of these, about `cells` weights of each filter.
  package func heaviest(cells: Int) -> KernelSlices {
    let wanted = KernelSlices.kept(height: height, width: width, inputs: inputs, cells: cells)
    return wanted < kept ? KernelSlices(self, keeping: wanted) : self
  }

  private init(_ all: KernelSlices, keeping wanted: Int) {
    (height, width, inputs, filters) = (all.height, all.width, all.inputs, all.filters)
    (groups, largest, kept) = (all.groups, all.largest, wanted)
    let area = height * width
    var (bytes, numbers, shares) = ([UInt8](), [UInt8](), [Float]())
    for filter in 0..<filters {
      let weights = (0..<all.kept).map { slice in
        let start = (filter * all.kept + slice) * area
        return all.bytes[start..<start + area].reduce(0 as Float) { sum, byte in
          byte == 0 ? sum : sum + (Float(byte) - 128) * (Float(byte) - 128)
        }
      }
      let chosen = KernelSlices.heaviest(wanted, of: weights[...])
      for slice in chosen {
        let place = filter * all.kept + slice
        bytes += all.bytes[place * area..<(place + 1) * area]
        let number = all.filters * all.kept * area + 2 * place
        numbers += all.kept < all.inputs ? all.bytes[number..<number + 2] : [UInt8(slice & 255), UInt8(slice >> 8)]
      }
      let sum = weights.reduce(0, +)
      shares.append(sum > 0 ? all.shares[filter] * chosen.reduce(0) { $0 + weights[$1] } / sum : 1)
    }
    (self.bytes, self.shares) = (bytes + numbers, shares)
  }
}
