// FafAPI
