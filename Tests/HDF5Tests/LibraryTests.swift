import CHDF5
import Foundation
import H5ConvDiagnostics
import H5ConvHDF5
import TestSupport
import Testing

@Suite("What libhdf5 may do")
struct LibraryTests {
  /// In a process of its own, in which nobody else uses the library meanwhile.
  @Test func noPlugInsAndNoExternalLinks() async {
    await #expect(processExitsWith: .success) {
      _ = try open("types")
      // All kinds, where nobody says otherwise.
      var plugIns: UInt32 = .max
      exit(H5PLget_loading_state(&plugIns) >= 0 && plugIns == 0 && H5Lis_registered(H5L_TYPE_EXTERNAL) == 0 ? 0 : 1)
    }
  }

  /// A kind of link that a program defines for itself: h5py makes none, so that an external one is given the next number.
  @Test func userDefinedLinks() throws {
    var bytes = contents(of: Fixtures.path("hdf5/links.h5"))
    let name = Array("external".utf8)
    let place = try #require(
      bytes.indices.dropLast(name.count).first { bytes[$0...].starts(with: [64, UInt8(name.count)] + name) })
    bytes[place] = 65
    let folder = try TemporaryFolder()
    let root = try File.open(try folder.write("links.h5", bytes)).root
    #expect(try root.member("external") == .link(.userDefined))
    let error = try #require(throws: H5ConvError.self) { try root.dataset("external") }
    #expect(error.kind == .badData && error.what.contains("user-defined link"), "\(error)")
    #expect(try root.dataset("group/data")?.shape == [3, 4])
  }
}
