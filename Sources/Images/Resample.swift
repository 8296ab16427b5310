/// A rectangle of pixels.
package struct PixelRegion: Sendable, Equatable {
  package var columns: Range<Int>
  package var rows: Range<Int>
}

extension Raster {
  /// The pixels of `region` resized to width × height with `filter`, in the numerics of Pillow's `ImagingResample`.
  ///
  /// Two passes with a rounding to 8 bits in between. The horizontal one comes first, unless the height shrinks by more
  /// than twice as many pixels as the width (Pillow's rule from 13.0 on; earlier releases differ by at most 1/255 there).
  func filtered(_ region: PixelRegion, width newWidth: Int, height newHeight: Int, _ filter: Interpolation) -> Raster {
    let horizontal =
      newWidth != width || region.columns != 0..<width
      ? ResampleTable(count: width, span: region.columns, target: newWidth, filter: filter) : nil
    let vertical =
      newHeight != height || region.rows != 0..<height
      ? ResampleTable(count: height, span: region.rows, target: newHeight, filter: filter) : nil

    if Raster.verticalFirst(width, height, newWidth, newHeight) {
      let narrowed = vertical.map { pass(down: $0) } ?? self
      return horizontal.map { narrowed.pass(across: $0, rows: 0..<newHeight) } ?? narrowed
    }
    guard let horizontal else { return vertical.map { pass(down: $0) } ?? self }
    let rows = vertical?.used ?? 0..<height
    let narrowed = pass(across: horizontal, rows: rows)
    return vertical.map { narrowed.pass(down: $0.shifted(by: rows.lowerBound)) } ?? narrowed
  }

  /// Whether the vertical pass comes first.
  static func verticalFirst(_ width: Int, _ height: Int, _ newWidth: Int, _ newHeight: Int) -> Bool {
    height > newHeight && height - newHeight > (width - newWidth) * 2
  }

  /// The horizontal pass over the given rows.
  private func pass(across table: ResampleTable, rows: Range<Int>) -> Raster {
    let newWidth = table.starts.count
    let rowBytes = width * channels
    let result = [UInt8](unsafeUninitializedCapacity: newWidth * rows.count * channels) { target, filled in
      pixels.withUnsafeBufferPointer { pixels in
        table.withUnsafeBuffers { starts, counts, weights in
          guard var target = target.baseAddress, let source = pixels.baseAddress else { return }
          for row in rows {
            let line = source + row * rowBytes
            for index in 0..<newWidth {
              let taps = weights + index * table.stride
              if channels == 3 {
                sumRGB(line + starts[index] * 3, taps, counts[index], target)
              } else {
                sumGrey(line + starts[index], taps, counts[index], target)
              }
              target += channels
            }
          }
        }
      }
      filled = newWidth * rows.count * channels
    }
    return Raster(checkedWidth: newWidth, height: rows.count, channels: channels, pixels: result)
  }

  /// The vertical pass: whole rows are added up, which the compiler turns into vector code.
  private func pass(down table: ResampleTable) -> Raster {
    let newHeight = table.starts.count
    let rowBytes = width * channels
    let result = [UInt8](unsafeUninitializedCapacity: rowBytes * newHeight) { target, filled in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowBytes) { sums in
        pixels.withUnsafeBufferPointer { pixels in
          table.withUnsafeBuffers { starts, counts, weights in
            guard var target = target.baseAddress, let source = pixels.baseAddress, let sums = sums.baseAddress else {
              return
            }
            for index in 0..<newHeight {
              sums.initialize(repeating: resampleHalf, count: rowBytes)
              for tap in 0..<counts[index] {
                add(source + (starts[index] + tap) * rowBytes, weights[index * table.stride + tap], sums, rowBytes)
              }
              for position in 0..<rowBytes { target[position] = resampled(sums[position]) }
              target += rowBytes
            }
          }
        }
      }
      filled = rowBytes * newHeight
    }
    return Raster(checkedWidth: width, height: newHeight, channels: channels, pixels: result)
  }
}

extension ResampleTable {
  fileprivate func withUnsafeBuffers(
    _ body: (UnsafePointer<Int>, UnsafePointer<Int>, UnsafePointer<Int32>) -> Void
  ) {
    starts.withUnsafeBufferPointer { starts in
      counts.withUnsafeBufferPointer { counts in
        weights.withUnsafeBufferPointer { weights in
          guard let starts = starts.baseAddress, let counts = counts.baseAddress, let weights = weights.baseAddress
          else { return }
          body(starts, counts, weights)
        }
      }
    }
  }
}

@inline(__always)
private func sumRGB(
  _ source: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int32>, _ count: Int, _ target: UnsafeMutablePointer<UInt8>
) {
  var (red, green, blue) = (resampleHalf, resampleHalf, resampleHalf)
  var pixel = source
  for tap in 0..<count {
    let weight = weights[tap]
    red &+= Int32(pixel[0]) &* weight
    green &+= Int32(pixel[1]) &* weight
    blue &+= Int32(pixel[2]) &* weight
    pixel += 3
  }
  target[0] = resampled(red)
  target[1] = resampled(green)
  target[2] = resampled(blue)
}

@inline(__always)
private func sumGrey(
  _ source: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int32>, _ count: Int, _ target: UnsafeMutablePointer<UInt8>
) {
  var sum = resampleHalf
  for tap in 0..<count { sum &+= Int32(source[tap]) &* weights[tap] }
  target[0] = resampled(sum)
}

@inline(__always)
private func add(
  _ source: UnsafePointer<UInt8>, _ weight: Int32, _ sums: UnsafeMutablePointer<Int32>, _ count: Int
) {
  for position in 0..<count { sums[position] &+= Int32(source[position]) &* weight }
}
