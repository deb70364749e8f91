@preconcurrency import CoreML
import CryptoKit
import ImageIO
import PhotosUI
import SwiftUI
import UIKit
import Vision
import os

func models(_ model: MLModel, _ input: MLFeatureProvider, _ array: MLMultiArray) throws {
    _ = try model.predict(from: input)  // error: has no member 'predict'
    _ = try model.prediction(input)  // error: missing argument label 'from:'
    _ = MLComputeUnits.fastest  // error: has no member 'fastest'
    _ = MLModel.load(url: URL(filePath: "/m"))  // error: extra argument 'url'
    _ = try MLMultiArray(shape: [1, 2], dataType: .uint8)  // error: has no member 'uint8'
    _ = try MLMultiArray(shape: [Int](), dataType: .float32)  // error: cannot convert value of type '[Int]'
    _ = array.pointer  // error: has no member 'pointer'
    array.withUnsafeMutableBytes { bytes in _ = bytes }  // error: contextual closure type
    _ = array[0] + 1.5  // error: 'NSNumber' is not convertible
    _ = MLFeatureValue(image: 3)  // error: no exact matches
    input.featureValue("x")  // error: missing argument label 'for:'
    let configuration = MLModelConfiguration()
    configuration.units = .all  // error: has no member 'units'
    _ = VNCoreMLRequest(model: model)  // error: cannot convert value of type 'MLModel'
}

func types(_ array: MLMultiArray) -> Int {
    switch array.dataType {  // error: switch
    case .double, .float32, .float16, .int32, .int8: return 1
    }
}

func pictures(_ data: Data, _ image: CGImage) {
    _ = CGImageSourceCreateWithData(data, nil)  // error: cannot convert value of type 'Data'
    _ = image.pixelWidth  // error: has no member 'pixelWidth'
    _ = CGImagePropertyOrientation.upsideDown  // error: has no member 'upsideDown'
    _ = UIImage(cgImage: image).cgImage.width  // error: must be unwrapped
}

func isolation() {
    UIApplication.shared.isIdleTimerDisabled = true  // error: main actor-isolated
    _ = UIView(frame: .zero)  // error: main actor-isolated
    _ = UIDevice.current.model  // error: main actor-isolated
}

struct WrongView: View {
    @State private var text = ""
    @Published var shown = 3  // error: only available on properties of classes

    var body: some View {
        Text("x").fontStyle(.bold)  // error: has no member 'fontStyle'
    }
}

func logging(_ logger: Logger) {
    logger.warn("x")  // error: has no member 'warn'
    logger.info(3)  // error: cannot convert value of type 'Int'
}

func digests(_ data: Data) {
    _ = SHA256.hash(data)  // error: missing argument label 'data:'
    _ = SHA256.hash(data: data).hexString  // error: has no member 'hexString'
    SHA256().update(data: data)  // error: cannot use mutating member
}
