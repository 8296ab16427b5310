print("h5conv")
