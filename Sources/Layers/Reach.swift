import H5ConvTensors

/// What one axis of a picture has to do with a tensor computed from it: which of its cells an element depends on.
package struct Reach: Sendable, Equatable {
  /// The axis of the tensor along which the elements' fields move; nil when every element depends on the whole axis.
  package var axis: Int?
  /// First cell of the field of the element at 0; negative where that is padding.
  package var start = 0.0
  /// Cells by which the field of the next element is further on; a fraction behind an upsampling.
  package var stride = 1.0
  /// Cells that a field covers.
  package var size = 1.0
  /// Whether the field is a bound: the element may depend on fewer of its cells.
  package var isBound = false
  /// Whether a factor or summand that the whole picture decides comes in besides (squeeze-and-excitation).
  package var isGated = false

  /// Each element of `axis` sees its own cell.
  package init(axis: Int) { self.axis = axis }

  /// Every element sees everything.
  package static let whole: Reach = {
    var reach = Reach(axis: 0)
    reach.axis = nil
    return reach
  }()
}

/// The composition of receptive fields: r += (k − 1)·j, j *= s, start −= before·j (Araujo, Norris, Sim: Computing Receptive Fields of
/// Convolutional Neural Networks, Distill 2019).
extension Reach {
  /// Behind a window of `size` taps, `dilation` apart, that moves by `step` and begins `before` cells before the input.
  func behindWindow(size taps: Int, dilation: Int, step: Int, before: Int) -> Reach {
    var reach = self
    reach.start -= Double(before) * stride
    reach.size += Double(Sliding.extent(taps, dilation: dilation) - 1) * stride
    reach.stride *= Double(step)
    return reach
  }

  /// Behind the gradient of such a window: element o reads the elements from (o + before − extent + 1)/step to (o + before)/step.
  func behindTransposedWindow(size taps: Int, dilation: Int, step: Int, before: Int) -> Reach {
    var reach = self
    let extent = Sliding.extent(taps, dilation: dilation)
    reach.start += Double(before - extent + 1) / Double(step) * stride
    reach.size += Double(extent - 1) / Double(step) * stride
    reach.stride /= Double(step)
    reach.isBound = reach.isBound || step > 1
    return reach
  }

  /// Behind a repetition of every element.
  func behindRepetition(_ times: Int) -> Reach {
    guard times > 1 else { return self }
    var reach = self
    reach.start -= stride * Double(times - 1) / Double(times)
    reach.size += stride * Double(times - 1) / Double(times)
    reach.stride /= Double(times)
    reach.isBound = true
    return reach
  }

  /// Behind a resizing from `length` elements to `result`, with half-pixel centres and `radius` elements to each side.
  func behindResizing(from length: Int, to result: Int, radius: Double) -> Reach {
    guard length != result, result > 0 else { return self }
    let step = Double(length) / Double(result)
    let reachedElements = radius * max(1, step)
    var reach = self
    reach.start += (0.5 * step - 0.5 - reachedElements) * stride
    reach.size += 2 * reachedElements * stride
    reach.stride *= step
    reach.isBound = true
    return reach
  }

  /// Everything that this or `other`, of the same tensor, depends on.
  func union(_ other: Reach) -> Reach {
    guard axis == other.axis, stride == other.stride else {
      // One of them a gate for the other, or two ways that do not keep step.
      if axis == nil, other.axis != nil { return other.gated }
      if other.axis == nil, axis != nil { return gated }
      return .whole
    }
    var reach = self
    let end = max(start + size, other.start + other.size)
    reach.start = min(start, other.start)
    reach.size = end - reach.start
    reach.isBound = isBound || other.isBound
    reach.isGated = isGated || other.isGated
    return reach
  }

  private var gated: Reach {
    var reach = self
    reach.isGated = true
    return reach
  }
}

extension Step {
  /// What the step's output depends on along one axis of the picture, by what its inputs do; nil when it does not depend on it.
  ///
  /// - Parameters:
  ///   - reaches: of each input, nil for one that does not depend on the picture.
  ///   - inputs: shapes of the inputs, batch first.
  package func reach(_ reaches: [Reach?], inputs: [[Int]]) -> Reach? {
    zip(reaches, inputs).enumerated().reduce(nil) { union, input in
      guard let before = input.element.0 else { return union }
      let reach = through(before, input.element.1, place: input.offset)
      return union.map { $0.union(reach) } ?? reach
    }
  }

  /// What the output depends on through one input of shape `shape`.
  private func through(_ reach: Reach, _ shape: [Int], place: Int) -> Reach {
    guard let axis = reach.axis, axis < shape.count else { return reach }
    let result = output.shape
    let isLast = axis == shape.count - 1
    /// The same axis when the ranks differ: axes are added in front.
    func aligned() -> Reach {
      let target = axis + result.count - shape.count
      // One element for all: a gate, when others keep the axis.
      guard result.indices.contains(target), shape[axis] == result[target] else { return .whole }
      var reach = reach
      reach.axis = target
      return reach
    }
    func windowed(_ window: Window, _ change: (Reach, Int) -> Reach) -> Reach {
      let spatial = axis - 1
      guard window.size.indices.contains(spatial) else { return isLast ? .whole : reach }
      return change(reach, spatial)
    }
    func without(_ axes: [Int]) -> Reach {
      guard !axes.contains(axis) else { return shape[axis] == 1 ? reach : .whole }
      var reach = reach
      if result.count < shape.count { reach.axis = axis - axes.count { $0 < axis } }
      return reach
    }
    switch operation {
    case .convolution(let window, _, _, _, _), .depthwiseConvolution(let window, _, _, _),
      .locallyConnected(let window, _, _, _), .maxPool(let window), .averagePool(let window):
      return windowed(window) {
        $0.behindWindow(
          size: window.size[$1], dilation: window.dilation[$1], step: window.strides[$1], before: window.before[$1])
      }
    case .transposedConvolution(let window, _, _, _):
      return windowed(window) {
        $0.behindTransposedWindow(
          size: window.size[$1], dilation: window.dilation[$1], step: window.strides[$1], before: window.before[$1])
      }
    case .dense: return isLast ? .whole : reach
    case .reduce(_, let axes), .tensor(.reduce(_, let axes)): return without(axes)
    case .reduceSections(_, let reduced, _): return reduced == axis ? .whole : reach
    case .softmax(let axes), .tensor(.standardize(_, let axes, _)): return axes.contains(axis) ? .whole : reach
    case .logSoftmax(let along): return along == axis ? .whole : reach
    case .sparsemax: return isLast ? .whole : reach
    case .concatenate(let along): return along == axis ? .whole : reach
    case .reshape: return reshaped(reach, shape, axis)
    case .transpose(let axes):
      var reach = reach
      reach.axis = axes.firstIndex(of: axis)
      return reach
    case .pad(let before, _):
      var reach = reach
      if before.indices.contains(axis) { reach.start -= Double(before[axis]) * reach.stride }
      return reach
    case .slice(let start):
      var reach = reach
      if start.indices.contains(axis) { reach.start += Double(start[axis]) * reach.stride }
      return reach
    case .repeatElements(let times): return times.indices.contains(axis) ? reach.behindRepetition(times[axis]) : reach
    case .resize(let method, _):
      guard result.indices.contains(axis) else { return .whole }
      return reach.behindResizing(from: shape[axis], to: result[axis], radius: method.radius)
    case .tensor(.matrixProduct(let transposesSecond)):
      let summed = place == 0 ? shape.count - 1 : shape.count - (transposesSecond ? 1 : 2)
      guard axis != summed else { return .whole }
      var reach = aligned()
      if place == 1, axis >= shape.count - 2 { reach.axis = result.count - 1 }
      return reach
    case .tensor(.recurrence), .tensor(.convolutionalRecurrence), .tensor(.takeAlong): return .whole
    case .tensor(.take(let along, _)), .tensor(.cumulate(let along, _)), .tensor(.sort(let along, _, _)):
      return along == axis ? .whole : aligned()
    case .tensor(.placeOfExtreme(let along, _)): return without([along])
    case .tensor(.rows), .tensor(.oneHot): return reach
    default: return aligned()
    }
  }

  /// The axis after a reshaping, when it keeps its length and what is before it keeps its number of elements.
  private func reshaped(_ reach: Reach, _ shape: [Int], _ axis: Int) -> Reach {
    let before = Tensor.elementCount(of: Array(shape[..<axis]))
    let target = output.shape.indices.first { place in
      output.shape[place] == shape[axis] && Tensor.elementCount(of: Array(output.shape[..<place])) == before
    }
    guard let target else { return .whole }
    var reach = reach
    reach.axis = target
    return reach
  }
}

extension ResizeMethod {
  /// Elements to each side of a place that its value is made of.
  fileprivate var radius: Double {
    switch self {
    case .nearest: 0.5
    case .bilinear, .area: 1
    case .bicubic, .mitchellcubic: 2
    case .lanczos3: 3
    case .lanczos5: 5
    case .gaussian: 1.5
    }
  }
}
