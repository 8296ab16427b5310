import H5ConvImages
import H5ConvTensors
import H5ConvVisualization
import Testing

/// Kernels as pictures, read back from their PNG.
@Suite struct KernelPictureTests {
  private func source(_ shape: [Int], _ values: [Float], name: String = "conv") throws -> KernelSource {
    KernelSource(index: 2, name: name, className: "Conv2D", kernel: try Tensor(shape: shape, values: values))
  }

  /// The number at (row, column) of input i and output o is in tile i · outputs + o, with 0 in the middle of 256 colours.
  @Test func matrix() throws {
    let (height, width, inputs, outputs) = (2, 3, 4, 5)
    let values = (0..<height * width * inputs * outputs).map { Float(($0 * 37) % 101 - 50) }
    let picture = try RenderedKernel(
      matrix: try source([height, width, inputs, outputs], values), named: "02_conv", columns: outputs, cell: 3,
      dpi: 300)
    #expect(picture.fileName == "02_conv.kernel.png" && picture.style == .matrix)
    #expect(picture.range == -50...50)
    let file = try #require(PNGFile(picture.png))
    let pixels = try #require(file.indices)
    for input in 0..<inputs {
      for output in 0..<outputs {
        let (x, y) = picture.tiles.origin(of: input * outputs + output)
        #expect(x == picture.tiles.x + output * (width * 3 + 1) && y == picture.tiles.y + input * (height * 3 + 1))
        for row in 0..<height {
          for column in 0..<width {
            let value = values[((row * width + column) * inputs + input) * outputs + output]
            let index = min(255, Int(256 * (0.5 + Double(value) / 100)))
            #expect(pixels[(y + row * 3 + 1) * file.width + x + column * 3 + 1] == UInt8(index))
          }
        }
      }
    }
  }

  /// Two filters of 1 × 2: each has its own range, and blue comes first where the network is given it so.
  @Test(arguments: [false, true]) func colors(isBGR: Bool) throws {
    // Place, channel, filter.
    let values: [Float] = [-1, 7, 0, 7, 1, 7, 3, 7, -1, 7, 1, 7]
    let source = try source([1, 2, 3, 2], values)
    let picture = try RenderedKernel(colors: source, isBGR: isBGR, named: "02_conv", columns: 2, cell: 4, dpi: 300)
    #expect(picture.style == .colors && picture.range == nil)
    let raster = try DecodedImage.decode(picture.png).raster(as: .rgb)
    func color(_ filter: Int, _ column: Int) -> [UInt8] {
      let (x, y) = picture.tiles.origin(of: filter)
      let place = ((y + 2) * raster.width + x + column * 4 + 2) * 3
      return Array(raster.pixels[place..<place + 3])
    }
    let first: [UInt8] = [0, 64, 128]
    let second: [UInt8] = [255, 0, 128]
    #expect(color(0, 0) == (isBGR ? first.reversed() : first))
    #expect(color(0, 1) == (isBGR ? second.reversed() : second))
    #expect(color(1, 0) == [128, 128, 128])
  }

  @Test func numbersThatAreNotFinite() throws {
    let values = [Float](repeating: .nan, count: 11) + [.infinity]
    let source = try source([1, 2, 3, 2], values, name: "\u{1b}[31m<b>")
    _ = try RenderedKernel(colors: source, isBGR: false, named: "a", columns: 2, cell: 4, dpi: 300)
    _ = try RenderedKernel(matrix: source, named: "a", columns: 2, cell: 4, dpi: 300)
  }
}
