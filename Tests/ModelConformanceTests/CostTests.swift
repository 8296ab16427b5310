import H5ConvConfig
import H5ConvGraph
import H5ConvModelFiles
import H5ConvTensors
import TestSupport
import Testing

/// Multiply-accumulates of networks of keras.applications against TensorFlow 2.21's profiler, which counts two operations for each, and
/// only in Conv2D, DepthwiseConv2dNative and MatMul: `tools/count_operations.py`.
@Suite("What networks cost")
struct CostTests {
  @Test(arguments: [
    ("tfk_VGG16", 332_111_872), ("tfk_MobileNetV2", 1_196_592), ("tfk_ResNet50", 78_712_832),
    ("tfk_MobileNet", 834_688), ("tfk_Xception", 551_147_304), ("tfk_EfficientNetB0", 8_474_848),
  ])
  func application(_ name: String, _ operations: Int) throws {
    let arrays = Dictionary(
      uniqueKeysWithValues: try ArrayFile.npz(Fixtures.path("applications/\(name).npz")).map { ($0.name, $0.tensor) })
    let text = try #require(arrays["architecture"]).values.map { UInt8($0) }
    let size = Int(try #require(arrays["size"]).values[0])
    let graph = try Graph(ArchitectureReader.read(JSONParser.parse(text), kerasVersion: nil))
    #expect(Footprint(graph, inputShapes: [[1, size, size, 3]]).multiplyAccumulates == operations)
  }
}
