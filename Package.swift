// swift-tools-version: 6.2
import Foundation
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// One room of the house: target `H5Conv<name>` in `Sources/<name>`.
///
/// Target names carry the prefix because they share one flat space with the packages of our users.
func room(_ name: String, uses dependencies: [Target.Dependency] = [], notices: [String] = []) -> Target {
  .target(
    name: "H5Conv\(name)", dependencies: dependencies, path: "Sources/\(name)", exclude: notices, swiftSettings: strict)
}

func tests(_ name: String, of dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)Tests",
    swiftSettings: strict)
}

// Debian's libhdf5.so brings curl, TLS and Kerberos along, for files in the cloud, and loading these takes longer than `inspect`.
// Its archive does not: where it is, it is linked, and the headers beside it are used (Sources/CHDF5/hdf5_header.h).
let archive = ["x86_64", "aarch64"].contains {
  FileManager.default.fileExists(atPath: "/usr/lib/\($0)-linux-gnu/libhdf5_serial.a")
}
let hdf5: [LinkerSetting] =
  archive
  ? [":libhdf5_serial.a", "sz", "z", "dl", "m"].map { .linkedLibrary($0) }
  : [.linkedLibrary("hdf5"), .linkedLibrary("z")]

/// Links Swift's own libraries into the program, which so starts in half the time, and runs where there is no Swift; nothing when
/// this toolchain, which also runs this file, has no archives of them.
var swiftInside: [LinkerSetting] {
  let loaded = FileHandle(forReadingAtPath: "/proc/self/maps")?.readDataToEndOfFile() ?? Data()
  let paths = String(decoding: loaded, as: UTF8.self).split { $0 == " " || $0.isNewline }
  guard let core = paths.first(where: { $0.hasSuffix("/swift/linux/libswiftCore.so") }) else { return [] }
  let archives = core.replacingOccurrences(of: "/swift/linux/libswiftCore.so", with: "/swift_static/linux")
  guard FileManager.default.fileExists(atPath: archives + "/libFoundation.a") else { return [] }
  let libraries = [
    "FoundationInternationalization", "Foundation", "CoreFoundation", "_FoundationICU", "_FoundationCShims",
    "_FoundationCollections", "FoundationEssentials", "dispatch", "BlocksRuntime", "stdc++",
  ]
  return [.unsafeFlags(["-static-stdlib"])] + libraries.map { .linkedLibrary($0) }
}

let package = Package(
  name: "h5conv",
  products: [
    .library(name: "H5Conv", targets: ["H5Conv"]),
    .library(name: "H5ConvTesting", targets: ["H5ConvTesting"]),
    .executable(name: "h5conv", targets: ["H5ConvCLI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    // C libraries of the system, and C of our own.
    .systemLibrary(name: "CHDF5", pkgConfig: archive ? nil : "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CLibPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CLibISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CFreeType", pkgConfig: "freetype2", providers: [.apt(["libfreetype-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .target(name: "CImageCodecs", dependencies: ["CLibPNG", "CLibJPEG", "CLibISAL"]),
    .target(name: "CKernels"),
    .target(name: "COpenBLAS"),
    .target(name: "CSandbox"),
    .target(name: "CSystem"),
    .target(name: "CHDF5Window", dependencies: ["CHDF5"], linkerSettings: hdf5),
    .target(name: "CFont", exclude: ["LICENSE-DejaVu.txt"]),
    .target(name: "CReport", exclude: ["page"]),

    // The rooms, in order of dependency.
    room("Diagnostics"),
    room("Files", uses: ["CSystem", "H5ConvDiagnostics"]),
    room("HDF5", uses: ["CHDF5", "CHDF5Window", "H5ConvDiagnostics"]),
    room("Tensors", uses: ["CZip", "H5ConvFiles", "H5ConvDiagnostics"]),
    room("Config", uses: ["H5ConvDiagnostics"]),
    room("Layers", uses: ["H5ConvConfig", "H5ConvTensors", "H5ConvDiagnostics"]),
    room(
      "ModelFiles",
      uses: [
        "CZip", "H5ConvHDF5", "H5ConvLayers", "H5ConvConfig", "H5ConvTensors", "H5ConvFiles", "H5ConvDiagnostics",
      ]),
    room(
      "Graph",
      uses: ["H5ConvModelFiles", "H5ConvLayers", "H5ConvHDF5", "H5ConvConfig", "H5ConvTensors", "H5ConvDiagnostics"]),
    room(
      "Inference",
      uses: ["CKernels", "COpenBLAS", "H5ConvGraph", "H5ConvLayers", "H5ConvTensors", "H5ConvDiagnostics"]),
    room("Attribution"),
    room("Images", uses: ["CImageCodecs", "H5ConvTensors", "H5ConvFiles", "H5ConvDiagnostics"]),
    room(
      "Visualization",
      uses: [
        "CKernels", "CFont", "CFreeType", "CReport", "H5ConvImages", "H5ConvConfig", "H5ConvTensors",
        "H5ConvDiagnostics",
        .product(name: "Mustache", package: "swift-mustache"),
      ],
      notices: ["COLORMAPS-NOTICE.md"]),

    // The library's face, its companion for tests, and the command line.
    .target(
      name: "H5Conv",
      dependencies: [
        "H5ConvHDF5", "H5ConvConfig", "H5ConvLayers", "H5ConvModelFiles", "H5ConvGraph", "H5ConvInference",
        "H5ConvAttribution", "H5ConvImages", "H5ConvVisualization", "H5ConvTensors", "H5ConvFiles", "H5ConvDiagnostics",
      ],
      swiftSettings: strict),
    .target(name: "H5ConvTesting", dependencies: ["H5Conv"], swiftSettings: strict),
    room("Supervisor", uses: ["CSandbox", "H5ConvFiles", "H5ConvDiagnostics"]),
    .executableTarget(
      name: "H5ConvCLI",
      dependencies: [
        "H5Conv", "H5ConvSupervisor", "H5ConvFiles", "H5ConvDiagnostics", "COpenBLAS",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/CLI", swiftSettings: strict, linkerSettings: swiftInside),
    // What tools/bench times; for developers of h5conv.
    .executableTarget(
      name: "h5conv-bench",
      dependencies: ["H5Conv", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Sources/Bench", swiftSettings: strict),

    // Tests: one folder per target.
    .target(
      name: "TestSupport", dependencies: ["H5ConvHDF5", "H5ConvConfig", "H5ConvTensors"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests("Files", of: ["H5ConvFiles", "H5ConvDiagnostics"]),
    tests("Supervisor", of: ["CSandbox", "H5ConvSupervisor", "H5ConvDiagnostics"]),
    tests("HDF5", of: ["CHDF5", "H5ConvHDF5", "H5ConvDiagnostics"]),
    tests("Tensors", of: ["H5ConvTensors", "H5ConvDiagnostics"]),
    tests("Config", of: ["H5ConvConfig", "H5ConvDiagnostics"]),
    tests("Layer", of: ["H5ConvLayers", "H5ConvConfig", "H5ConvTensors", "H5ConvDiagnostics"]),
    tests(
      "Graph",
      of: ["H5ConvGraph", "H5ConvModelFiles", "H5ConvLayers", "H5ConvConfig", "H5ConvTensors", "H5ConvDiagnostics"]),
    tests(
      "Inference",
      of: [
        "CKernels", "H5Conv", "H5ConvInference", "H5ConvGraph", "H5ConvModelFiles", "H5ConvLayers", "H5ConvConfig",
        "H5ConvTensors", "H5ConvDiagnostics",
      ]),
    tests("Images", of: ["H5ConvImages", "H5ConvTensors", "H5ConvDiagnostics"]),
    tests(
      "Visualization",
      of: ["H5ConvVisualization", "H5ConvImages", "H5ConvConfig", "H5ConvTensors", "H5ConvDiagnostics"]),
    tests(
      "H5Conv",
      of: [
        "H5Conv", "H5ConvGraph", "H5ConvModelFiles", "H5ConvHDF5", "H5ConvImages", "H5ConvInference", "H5ConvConfig",
        "H5ConvTensors", "H5ConvDiagnostics",
      ]),
    tests("H5ConvTesting", of: ["H5ConvTesting", "H5Conv", "H5ConvConfig", "H5ConvTensors", "H5ConvDiagnostics"]),
    tests(
      "ModelConformance",
      of: [
        "H5ConvTesting", "H5Conv", "H5ConvInference", "H5ConvGraph", "H5ConvModelFiles", "H5ConvConfig",
        "H5ConvTensors",
        "H5ConvDiagnostics",
      ]),
    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    tests(
      "CLI", of: ["CTestSupport", "H5ConvHDF5", "H5ConvConfig", "H5ConvTensors", "H5ConvDiagnostics"]),
  ],
  swiftLanguageModes: [.v6]
)

// Readers under libFuzzer, which only tools/fuzz links.
if Context.environment["H5CONV_FUZZ"] != nil {
  package.targets += [
    .systemLibrary(name: "CLibFuzzer"),
    .executableTarget(
      name: "h5conv-fuzz",
      dependencies: [
        "CLibFuzzer", "H5Conv", "H5ConvConfig", "H5ConvDiagnostics", "H5ConvFiles", "H5ConvGraph", "H5ConvImages",
        "H5ConvModelFiles", "H5ConvTensors",
      ],
      path: "Sources/Fuzz", swiftSettings: strict),
  ]
}
