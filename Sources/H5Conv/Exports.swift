// Tensor and H5ConvError, of which the interface is made, are the library's own names to its users.
@_exported public import H5ConvDiagnostics
@_exported public import H5ConvTensors

/// The version of the library and the program.
public let version = "0.1.0"
