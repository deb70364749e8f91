"""Names that Keras itself brings, of Keras 2 and 3, so that a custom class is known without Keras.

tests/model/test_keras_file.py compares these lists with the installed Keras and tf-keras.
"""

from __future__ import annotations

LAYERS: frozenset[str] = frozenset(
    """
    AbstractRNNCell Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AddLoss
    AddMetric AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D
    AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization Bidirectional
    CategoryEncoding CenterCrop ClassMethod Concatenate ContrastLimitedAdaptiveHistogramEqualization
    Conv Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D
    ConvLSTM3D Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D
    Convolution3DTranspose Cropping1D Cropping2D Cropping3D CuDNNGRU CuDNNLSTM CutMix Dense
    DenseFeatures DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout DynamicEmbedding
    DynamicLookup ELU EinsumDense Embedding Equalization Flatten FlaxLayer Functional GRU GRUCell
    GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention
    HashedCrossing Hashing Identity InputLayer InstanceMethod InstanceProperty IntegerLookup JaxLayer
    LSTM LSTMCell Lambda LayerNormalization LeakyReLU LocallyConnected1D LocallyConnected2D Masking
    MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum
    MelSpectrogram Minimum MixUp Model ModuleWrapper MultiHeadAttention Multiply Normalization PReLU
    Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration
    RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip
    RandomFourierFeatures RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert
    RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear
    RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling Reshape Resizing
    ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D SeparableConvolution1D
    SeparableConvolution2D Sequential SimpleRNN SimpleRNNCell SlicingOpLambda Softmax Solarization
    SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells
    StringLookup Subtract SyncBatchNormalization TFOpLambda TFSMLayer TensorFlowOpLayer
    TextVectorization ThresholdedReLU TimeDistributed TorchModuleWrapper UnitNormalization UpSampling1D
    UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
    """.split()  # noqa: SIM905
)

OBJECTS: frozenset[str] = frozenset(
    """
    AWQConfig AWQDTypePolicy AbsMaxQuantizer AutocastPolicy Constant Constraint DTypePolicy
    DTypePolicyMap Float8QuantizationConfig FloatDTypePolicy GPTQConfig GPTQDTypePolicy GlorotNormal
    GlorotUniform HeNormal HeUniform Identity IdentityInitializer Initializer Int4DTypePolicy
    Int4QuantizationConfig Int8QuantizationConfig L1 L1L2 L2 LecunNormal LecunUniform MaxNorm MinMaxNorm
    NonNeg Normal Ones Orthogonal OrthogonalInitializer OrthogonalRegularizer Policy QuantizationConfig
    QuantizedDTypePolicy QuantizedFloat8DTypePolicy Quantizer RadialConstraint RandomNormal
    RandomUniform Regularizer STFT STFTInitializer TensorShape TruncatedNormal Uniform UnitNorm
    VarianceScaling Zero Zeros
    """.split()  # noqa: SIM905
)

#: Functions that a layer may name as its activation.
ACTIVATIONS: frozenset[str] = frozenset(
    """
    celu crelu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign
    sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
    """.split()  # noqa: SIM905
)
