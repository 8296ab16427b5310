import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors

extension PlanStep {
  /// The elements in order along `axis`, or the places where they were; equal ones stay in their order, NaN is last.
  func sort(_ input: Tensor, _ axis: Int, isDescending: Bool, givesPlaces: Bool) throws -> Tensor {
    let length = input.shape[axis]
    let inner = input.shape[(axis + 1)...].reduce(1, *)
    return try Tensor(shape: output.shape) { target in
      guard length > 0 else { return }
      input.withUnsafeElements { source in
        for row in 0..<source.count / length {
          let start = row / inner * length * inner + row % inner
          func isBefore(_ a: Int, _ b: Int) -> Bool {
            let (first, second) = (source[start + a * inner], source[start + b * inner])
            if first == second || first.isNaN && second.isNaN { return a < b }
            if first.isNaN || second.isNaN { return second.isNaN }
            return isDescending ? first > second : first < second
          }
          for (place, index) in (0..<length).sorted(by: isBefore).enumerated() {
            target[start + place * inner] = givesPlaces ? Float(index) : source[start + index * inner]
          }
        }
      }
    }
  }

  /// The elements of `input` that `places` names along `axis`, from the end where they are negative.
  func takeAlong(_ input: Tensor, _ places: Tensor, _ axis: Int) throws -> Tensor {
    let (length, count) = (input.shape[axis], places.shape[axis])
    let inner = input.shape[(axis + 1)...].reduce(1, *)
    return try Tensor(shape: output.shape) { target in
      guard count > 0, inner > 0 else { return }
      try input.withUnsafeElements { source in
        try places.withUnsafeElements { places in
          for number in places.indices {
            let place = places[number]
            guard place > -Float(length) - 1, place < Float(length),
              let index = Int(exactly: place.rounded(.towardZero)),
              (-length..<length).contains(index)
            else { throw H5ConvError(.badData, "place \(place) of an axis of \(length)") }
            let outer = number / (count * inner)
            target[number] =
              source[(outer * length + (index < 0 ? index + length : index)) * inner + number % inner]
          }
        }
      }
    }
  }
}
