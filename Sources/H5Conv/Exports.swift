public import H5ConvDiagnostics
public import H5ConvTensors

/// A dense array of float32; see the documentation of its own module.
public typealias Tensor = H5ConvTensors.Tensor

/// What every failing call of this library throws.
public typealias H5ConvError = H5ConvDiagnostics.H5ConvError

/// The library and program's version.
public let version = "0.1.0"
