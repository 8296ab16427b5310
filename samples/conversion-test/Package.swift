// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "conversion-test",
  dependencies: [
    // In a package of your own: where h5conv is, by path or by its repository's address.
    .package(name: "h5conv", path: "../..")
  ],
  targets: [
    .testTarget(
      name: "ConversionTests",
      dependencies: [
        .product(name: "H5Conv", package: "h5conv"), .product(name: "H5ConvTesting", package: "h5conv"),
      ])
  ]
)
