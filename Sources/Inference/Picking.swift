import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// The places `places` along `axis`, in that order.
  func take(_ input: Tensor, _ axis: Int, _ places: [Int]) throws -> Tensor {
    let outer = input.shape[..<axis].reduce(1, *)
    let inner = input.shape[(axis + 1)...].reduce(1, *)
    let length = input.shape[axis]
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      input.withBase { source in
        for block in 0..<outer {
          for (number, place) in places.enumerated() {
            (target + (block * places.count + number) * inner).update(
              from: source + (block * length + place) * inner, count: inner)
          }
        }
      }
    }
  }

  /// The rows of `table` that the elements of `input` name.
  func rows(of table: Tensor, _ input: Tensor) throws -> Tensor {
    let (count, columns) = (table.shape[0], table.shape[1])
    return try Tensor(shape: output.shape) { target in
      guard let target = target.baseAddress else { return }
      try input.withUnsafeElements { names in
        try table.withBase { table in
          for (place, name) in names.enumerated() {
            guard name > -1, name < Float(count), let row = Int(exactly: name.rounded(.towardZero)), row < count else {
              throw H5ConvError(.badData, "the element \(name) names no row of a table with \(count)")
            }
            (target + place * columns).update(from: table + row * columns, count: columns)
          }
        }
      }
    }
  }

  /// A new last axis with 1 at the place that the element names.
  func oneHot(_ input: Tensor) throws -> Tensor {
    let depth = output.shape[output.shape.count - 1]
    return try Tensor(shape: output.shape) { target in
      target.update(repeating: 0)
      input.withUnsafeElements { names in
        for (place, name) in names.enumerated() {
          if name > -1, name < Float(depth), let index = Int(exactly: name.rounded(.towardZero)), index < depth {
            target[place * depth + index] = 1
          }
        }
      }
    }
  }
}
